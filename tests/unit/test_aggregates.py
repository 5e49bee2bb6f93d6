"""What a sponsor may know: figures of groups of five people and more, none of a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from course.aggregates import CohortAggregate, ModuleAggregate, SkillAggregate, aggregate, count, mean
from course.item_analysis import SkillResult
from course.roster import Member
from course.scores import AssignmentScore, CellScore
from course.standing import LearnerStanding, Module, ModuleStanding
from course.submissions import Submission

pytestmark = pytest.mark.quick

NOW = datetime(2026, 3, 20, 8, 0, tzinfo=UTC)
TABLES = Module("tables", "Tables", None)


def standing(number: int, points: float | None, days_ago: float | None = 1) -> LearnerStanding:
    """Return that of a learner with `points` of 10, who handed nothing in when they are None."""
    name = f"learner-{number}"
    submission, score = None, None
    if points is not None:
        submission = Submission(
            uuid4(), name, "tables", NOW, "", (), "graded", "", 1, None, None, None, marks_released=False
        )
        score = AssignmentScore(name, "tables", None, 0.0, (CellScore("lesson", "a", "tests", points, 10.0),))
    return LearnerStanding(
        Member(number, name, f"Learner {number}", "", "learner"),
        NOW - timedelta(days=days_ago) if days_ago is not None else None,
        (ModuleStanding(TABLES, 0, submission, score, overdue=False),),
        (),
    )


def told(standings: Sequence[LearnerStanding], *skills: SkillResult) -> CohortAggregate:
    return aggregate([TABLES], standings, skills, {"joining": "Joining"}, NOW)


@pytest.mark.parametrize(
    ("some", "of", "shown"),
    [(5, 10, 5), (0, 10, 0), (10, 10, 10), (4, 10, None), (1, 10, None), (6, 10, None), (9, 10, None)],
)
def test_a_count_is_shown_where_neither_it_nor_the_rest_is_a_small_group(
    some: int, of: int, shown: int | None
) -> None:
    assert count(some, of) == shown


@pytest.mark.parametrize("of", range(5))
def test_of_fewer_than_five_nothing_is_counted(of: int) -> None:
    assert [count(some, of) for some in range(of + 1)] == [None] * (of + 1)


def test_a_mean_is_of_five_people_at_least_and_rounded() -> None:
    assert mean([1.0, 1.0, 1.0, 0.0]) is None
    assert mean([1.0, 1.0, 1.0, 1.0, 0.07]) == 0.8
    assert mean([0.0] * 5) == 0.0


def test_one_learner_more_is_not_read_from_two_means() -> None:
    before = [0.7, 0.72, 0.68, 0.71, 0.69, 0.7, 0.7]
    assert {mean([*before, newest]) for newest in (0.6, 0.7, 0.8)} == {mean(before)}


def test_a_group_that_is_large_enough_is_told_of() -> None:
    handed_in = [standing(number, 8.0) for number in range(6)]
    others = [standing(number, None, days_ago=20) for number in range(6, 12)]
    skill = SkillResult("joining", {f"learner-{number}": 0.5 for number in range(6)})
    assert told([*handed_in, *others], skill) == CohortAggregate(
        learners=12,
        active=6,
        modules=(ModuleAggregate("Tables", 6, 0.8),),
        skills=(SkillAggregate("Joining", 0.5),),
    )


def test_of_a_small_cohort_nothing_is_told() -> None:
    cohort = [standing(number, 8.0) for number in range(4)]
    skill = SkillResult("joining", {"learner-1": 0.5})
    assert told(cohort, skill) == CohortAggregate(
        None, None, (ModuleAggregate("Tables", None, None),), (SkillAggregate("Joining", None),)
    )


def test_who_was_never_there_is_not_active() -> None:
    cohort = [standing(number, None, days_ago=None) for number in range(8)]
    assert told(cohort).active == 0


def test_a_course_without_learners_has_its_modules() -> None:
    assert told([]).modules == (ModuleAggregate("Tables", None, None),)
