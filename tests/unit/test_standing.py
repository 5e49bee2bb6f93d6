"""The rules of who is where and who needs the trainer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from course.api import GradingState
from course.events import Event
from course.roster import Member
from course.scores import AssignmentScore, CellScore
from course.standing import CourseRecord, LearnerStanding, Module, marking, needing, standings
from course.submissions import Submission

pytestmark = pytest.mark.quick

NOW = datetime(2026, 3, 20, 8, 0, tzinfo=UTC)
ADA, BO, CLEO = (
    Member(number, name, name.title(), "", "learner") for number, name in enumerate(("ada", "bo", "cleo"))
)
TABLES = Module("tables", "Tables", NOW - timedelta(days=5), ("q1", "q2"))
JOINS = Module("joins", "Joins", NOW + timedelta(days=5))


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def answered(learner: str, question: str, when: datetime, *, right: bool = True) -> Event:
    data = {"answer": "a", "points": float(right), "max_points": 1.0, "right": right, "attempt": 1}
    return Event(uuid4(), learner, "quiz.answered", when, question, data)


def started(learner: str, when: datetime) -> Event:
    return Event(uuid4(), learner, "server.started", when, "", {})


def handed_in(
    learner: str, when: datetime, assignment: str = "tables", state: GradingState = "graded"
) -> Submission:
    return Submission(
        uuid4(), learner, assignment, when, "", (), state, "", 1, None, None, None, marks_released=False
    )


def scored(learner: str, points: float | None, assignment: str = "tables") -> AssignmentScore:
    cells = (CellScore("exercises", "clean", "tests", points, 10.0),)
    return AssignmentScore(learner, assignment, None, 0.0, cells)


def stand(*members: Member, quiet_days: float = 7, **changes: Any) -> tuple[LearnerStanding, ...]:
    fields: dict[str, Any] = {
        "now": NOW,
        "cohort_start": days_ago(14),
        "members": members or (ADA,),
        "modules": (TABLES, JOINS),
        "events": (),
        "handed_in": (),
        "scores": (),
        "last_seen": {},
        **changes,
    }
    return standings(CourseRecord(**fields), quiet_days=quiet_days)


def causes(standing: LearnerStanding) -> list[str]:
    return [reason.cause for reason in standing.reasons]


def test_only_learners_stand_in_the_list_by_the_name_shown() -> None:
    trainer = Member(9, "tia", "Tia", "", "trainer")
    assert [found.member.name for found in stand(CLEO, trainer, ADA)] == ["ada", "cleo"]


def test_a_quiz_is_half_of_a_module_and_handing_in_the_other_half() -> None:
    events = [answered("ada", "tables/q1", days_ago(1)), answered("ada", "tables/q1", days_ago(1))]
    (ada,) = stand(events=events)
    assert [module.progress for module in ada.modules] == [0.25, 0.0]
    (ada,) = stand(events=events, handed_in=[handed_in("ada", days_ago(1))])
    assert [module.progress for module in ada.modules] == [0.75, 0.0]
    assert ada.progress == 0.375


def test_a_module_without_a_quiz_is_done_when_it_is_handed_in() -> None:
    (ada,) = stand(handed_in=[handed_in("ada", days_ago(1), "joins")])
    assert [module.progress for module in ada.modules] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("state", "step"),
    [("received", "handed in"), ("grading", "handed in"), ("graded", "graded"), ("failed", "failed")],
)
def test_the_step_of_a_module_follows_its_newest_submission(state: GradingState, step: str) -> None:
    (ada,) = stand(handed_in=[handed_in("ada", days_ago(6), state=state)])
    assert [module.step for module in ada.modules] == [step, "not started"]


def test_the_last_activity_is_what_the_learner_did_and_not_what_was_done_to_the_work() -> None:
    graded = Event(uuid4(), "ada", "assignment.graded", days_ago(1), "tables", {})
    (ada,) = stand(events=[started("ada", days_ago(3)), graded])
    assert ada.last_activity == days_ago(3)


@pytest.mark.parametrize(("quiet_days", "is_quiet"), [(3, False), (2.9, True)])
def test_who_did_nothing_for_longer_than_the_limit_has_gone_quiet_since_then(
    quiet_days: float, is_quiet: bool
) -> None:
    (ada,) = stand(events=[started("ada", days_ago(3))], quiet_days=quiet_days)
    quiet = ada.reason("quiet")
    assert (quiet is not None) == is_quiet
    assert quiet is None or quiet.since == days_ago(3)


def test_who_was_at_the_hub_lately_is_neither_quiet_nor_absent() -> None:
    old = [started("ada", days_ago(10))]
    for events in (old, []):
        (ada,) = stand(modules=[JOINS], events=events, last_seen={"ada": days_ago(1), "bo": days_ago(0)})
        assert (ada.reasons, ada.last_activity) == ((), days_ago(1))
    (ada,) = stand(modules=[JOINS], events=old, last_seen={"ada": NOW + timedelta(days=1)})
    assert causes(ada) == ["quiet"]


def test_who_handed_everything_in_may_be_quiet() -> None:
    (ada,) = stand(
        modules=[TABLES], events=[started("ada", days_ago(40))], handed_in=[handed_in("ada", days_ago(30))]
    )
    assert ada.reasons == ()


def test_nobody_is_called_absent_before_the_course_has_run_for_the_limit() -> None:
    assert causes(stand(modules=[JOINS], cohort_start=days_ago(6.9))[0]) == []
    assert causes(stand(modules=[JOINS], cohort_start=days_ago(7))[0]) == ["absent"]


def test_a_module_is_overdue_from_its_due_date_until_it_is_handed_in() -> None:
    active = [started("ada", days_ago(0.1))]
    (ada,) = stand(events=active)
    overdue = ada.reason("overdue")
    assert overdue is not None
    assert (overdue.since, overdue.modules) == (TABLES.due_at, ("Tables",))
    (ada,) = stand(events=active, handed_in=[handed_in("ada", days_ago(1))])
    assert causes(ada) == []
    assert ada.modules[0].late


def test_who_has_more_time_is_not_overdue_and_not_late_before_it_is_over() -> None:
    until = {("ada", "tables"): days_ago(2)}
    ada, bo = stand(ADA, BO, extensions=until)
    reasons = [standing.reason("overdue") for standing in (ada, bo)]
    assert [reason and reason.since for reason in reasons] == [days_ago(2), TABLES.due_at]
    (ada,) = stand(extensions={("ada", "tables"): days_ago(-1)})
    assert ada.reason("overdue") is None
    both = [handed_in("ada", days_ago(3)), handed_in("bo", days_ago(3))]
    ada, bo = stand(ADA, BO, extensions=until, handed_in=both)
    assert (ada.modules[0].late, bo.modules[0].late) == (False, True)


def test_only_the_newest_graded_module_can_be_low() -> None:
    both = [handed_in("ada", days_ago(6)), handed_in("ada", days_ago(1), "joins")]
    (ada,) = stand(handed_in=both, scores=[scored("ada", 2.0), scored("ada", 9.0, "joins")])
    assert causes(ada) == []
    (ada,) = stand(handed_in=both, scores=[scored("ada", 9.0), scored("ada", 2.0, "joins")])
    low = ada.reason("low")
    assert low is not None
    assert (low.share, low.modules) == (0.2, ("Joins",))


def test_an_answer_that_waits_for_a_mark_is_the_trainers_work_and_not_a_low_score() -> None:
    waits = [handed_in("ada", days_ago(3)), handed_in("bo", days_ago(1))]
    found = stand(ADA, BO, handed_in=waits, scores=[scored("ada", None), scored("bo", None)])
    assert [(standing.reasons, standing.share) for standing in found] == [((), None), ((), None)]
    (work,) = marking(found)
    assert (work.module, work.answers, work.learners, work.since) == (TABLES, 2, 2, days_ago(3))


def test_accents_and_case_do_not_change_the_order_of_names() -> None:
    names = ["Zoé", "élodie", "Ada"]
    members = [Member(number, f"m{number}", name, "", "learner") for number, name in enumerate(names)]
    assert [found.member.display_name for found in stand(*members)] == ["Ada", "élodie", "Zoé"]


def test_a_learner_is_stuck_on_several_questions_tried_again_and_never_right() -> None:
    wrong = [answered("ada", f"tables/{question}", days_ago(0.5), right=False) for question in ("q1", "q2")]
    open_module = [replace(TABLES, due_at=None)]
    assert causes(stand(events=wrong, modules=open_module)[0]) == []
    assert causes(stand(events=wrong * 2, modules=open_module)[0]) == ["stuck"]
    solved = [*wrong, *wrong, answered("ada", "tables/q2", days_ago(0.1))]
    assert causes(stand(events=solved, modules=open_module)[0]) == []


def test_what_went_wrong_in_a_quiz_no_longer_counts_once_the_module_is_handed_in() -> None:
    wrong = [answered("ada", f"tables/{question}", days_ago(2), right=False) for question in ("q1", "q2")]
    (ada,) = stand(events=wrong * 2, handed_in=[handed_in("ada", days_ago(1))])
    assert causes(ada) == []


def test_a_failed_grading_is_the_first_reason_of_a_learner() -> None:
    (ada,) = stand(handed_in=[handed_in("ada", days_ago(9), state="failed")])
    assert causes(ada) == ["failed", "quiet"]


def test_who_needs_the_trainer_most_comes_first_and_who_needs_nothing_does_not_come() -> None:
    found = stand(
        ADA,
        BO,
        CLEO,
        events=[started("ada", days_ago(1)), started("bo", days_ago(8)), started("cleo", days_ago(1))],
        handed_in=[handed_in("cleo", days_ago(1))],
    )
    assert [standing.member.name for standing in needing(found)] == ["bo", "ada"]


def test_among_equals_who_has_waited_longer_comes_first() -> None:
    events = [started("ada", days_ago(8)), started("bo", days_ago(12))]
    found = stand(ADA, BO, events=events, modules=[JOINS])
    assert [standing.member.name for standing in needing(found)] == ["bo", "ada"]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        stand(now=datetime(2026, 3, 20))
