"""Answers count once, within their attempts, and no key leaves with them."""

from __future__ import annotations

import copy
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from course.api import Answer, AnswerRequest, Verdict
from course.database import Database
from course.errors import Conflict, CourseError, NotFound
from course.events import EventStore
from course.quiz import QuizBank, QuizRecord
from tests.quizzes import QUIZ, changed, write_quiz

pytestmark = pytest.mark.quick

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def events(tmp_path: Path) -> EventStore:
    return EventStore(Database(f"sqlite:///{tmp_path / 'spoc.sqlite'}"))


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    write_quiz(tmp_path / "modules")
    return tmp_path / "modules"


@pytest.fixture
def record(events: EventStore, modules: Path) -> QuizRecord:
    return QuizRecord(QuizBank(modules), events)


def answer(
    record: QuizRecord,
    question: str,
    value: Answer,
    *,
    learner: str = "ada",
    event_id: UUID | None = None,
    at: datetime = NOW,
) -> Verdict:
    request = AnswerRequest(event_id=event_id or uuid4(), question=question, answer=value)
    return record.answer(learner, "tables", request, at)


def test_a_wrong_answer_costs_an_attempt_and_says_what_it_shows(record: QuizRecord) -> None:
    verdict = answer(record, "axis", "a")
    assert (verdict.points, verdict.max_points, verdict.right, verdict.attempts_left) == (0, 1, False, 1)
    assert verdict.choice_feedback == {"a": "KEY-axis-a: that is the columns' axis."}


def test_a_retry_gets_the_same_verdict_and_counts_once(record: QuizRecord, events: EventStore) -> None:
    event_id = uuid4()
    first = answer(record, "axis", "a", event_id=event_id)
    answer(record, "axis", "c")
    assert answer(record, "axis", "a", event_id=event_id) == first
    assert answer(record, "axis", "b", event_id=event_id) == first, "a retry cannot change the answer"
    assert len(events.events()) == 2


def test_an_event_id_of_somebody_else_is_refused(record: QuizRecord, events: EventStore) -> None:
    event_id = uuid4()
    answer(record, "axis", "b", event_id=event_id)
    with pytest.raises(Conflict):
        answer(record, "axis", "b", learner="ben", event_id=event_id)
    with pytest.raises(Conflict):
        answer(record, "mean", 12.5, event_id=event_id)
    assert len(events.events()) == 1


def test_no_answer_counts_after_the_last_attempt(record: QuizRecord) -> None:
    answer(record, "axis", "a")
    answer(record, "axis", "c")
    with pytest.raises(Conflict, match="no attempt"):
        answer(record, "axis", "b")
    assert record.points("ada", "tables") == 0


def test_a_question_may_have_attempts_of_its_own(record: QuizRecord) -> None:
    assert answer(record, "group", "having").attempts_left == 2


def test_a_right_answer_closes_the_question(record: QuizRecord) -> None:
    assert answer(record, "axis", "b").attempts_left == 0
    with pytest.raises(Conflict, match="rightly"):
        answer(record, "axis", "a")


def test_an_answer_that_cannot_be_scored_costs_no_attempt(record: QuizRecord, events: EventStore) -> None:
    for question, value in (("axis", "z"), ("mean", float("nan")), ("missing", ["a", "z"])):
        with pytest.raises(CourseError):
            answer(record, question, value)
    assert events.events() == ()


def test_what_does_not_exist_is_not_found(record: QuizRecord) -> None:
    with pytest.raises(NotFound):
        answer(record, "no-such-question", "a")
    for slug in ("no-such-quiz", "../tables", "tables/../tables", ""):
        with pytest.raises(NotFound):
            record.served("ada", slug)


def test_two_answers_at_once_never_exceed_the_attempts(record: QuizRecord, events: EventStore) -> None:
    outcomes: list[str] = []
    ready = threading.Barrier(8)

    def send() -> None:
        ready.wait(10)
        try:
            answer(record, "axis", "a")
        except Conflict:
            outcomes.append("refused")
        else:
            outcomes.append("counted")

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["counted"] * 2 + ["refused"] * 6
    assert [event.data["attempt"] for event in events.events()] == [1, 2]


def test_points_are_the_best_of_each_question_up_to_a_time(record: QuizRecord) -> None:
    answer(record, "missing", ["a"], at=NOW)
    answer(record, "missing", ["a", "b"], at=NOW + timedelta(minutes=1))
    answer(record, "mean", 12.5, at=NOW + timedelta(minutes=2))
    assert record.points("ada", "tables") == 2.5
    assert record.points("ada", "tables", until=NOW) == 1
    assert record.points("ada", "tables", until=NOW - timedelta(seconds=1)) == 0
    assert record.points("ben", "tables") == 0


def test_points_follow_the_question_when_its_weight_is_changed(record: QuizRecord, modules: Path) -> None:
    answer(record, "missing", ["a"])
    write_quiz(modules, quiz=changed(1, points=4))
    assert record.points("ada", "tables") == 2


def test_a_served_quiz_remembers_the_latest_answer(record: QuizRecord) -> None:
    verdict = answer(record, "missing", ["a"])
    served = record.served("ada", "tables")
    assert [question.last for question in served.questions] == [None, verdict, None, None]
    assert (served.points, served.max_points) == (1, 5.5)
    assert record.served("ben", "tables").questions[1].last is None


def test_a_served_quiz_holds_no_key_in_any_form(record: QuizRecord) -> None:
    text = record.served("ada", "tables").model_dump_json()
    assert "KEY" not in text
    assert "correct" not in text
    assert "GROUP" not in text
    assert "12.5" not in text


def test_feedback_of_choices_not_chosen_is_never_sent(record: QuizRecord) -> None:
    answer(record, "missing", ["b"])
    answer(record, "missing", ["b", "d"])
    text = record.served("ada", "tables").model_dump_json()
    assert "KEY-missing-d" in text
    assert "KEY-missing-a" not in text
    assert "KEY-missing-c" not in text
    assert all(f"KEY-{other['id']}" not in text for other in QUIZ["questions"] if other["id"] != "missing")


def test_learners_see_letters_and_the_record_keeps_the_ids_that_the_author_chose(
    events: EventStore, tmp_path: Path
) -> None:
    quiz = copy.deepcopy(QUIZ)
    for choice, name in zip(
        quiz["questions"][0]["choices"], ("columns-axis", "right-one", "none"), strict=True
    ):
        choice["id"] = name
    write_quiz(tmp_path / "modules", quiz=quiz)
    record = QuizRecord(QuizBank(tmp_path / "modules"), events)
    verdict = answer(record, "axis", "a")
    assert (verdict.answer, list(verdict.choice_feedback)) == ("a", ["a"])
    assert [event.data["answer"] for event in events.events()] == ["columns-axis"]
    served = record.served("ada", "tables").model_dump_json()
    assert not any(name in served for name in ("columns-axis", "right-one"))
    with pytest.raises(CourseError, match="Choose one"):
        answer(record, "axis", "right-one")


def test_choosing_everything_does_not_buy_the_key_for_an_attempt(record: QuizRecord) -> None:
    first = answer(record, "missing", ["a", "b", "c", "d"])
    assert (first.choice_feedback, first.attempts_left) == ({}, 1)
    last = answer(record, "missing", ["a", "b", "c", "d"])
    assert sorted(last.choice_feedback) == ["a", "b", "c", "d"], "once it is closed, each is explained"
