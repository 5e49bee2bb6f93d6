"""The rules of how exercises, questions and skills are summed up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.events import Event
from course.item_analysis import (
    Question,
    answer_text,
    exercise_results,
    question_results,
    skill_results,
    wilson_interval,
)
from course.scores import AssignmentScore, CellScore, Exercise

pytestmark = pytest.mark.quick

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
JOIN = Question("joins", "kind", "Which join?", 2.0, ("joining",), {"l": "left", "i": "inner", "o": "outer"})
COUNT = Question("joins", "count", "How many rows?", 1.0, ("joining", "checking"))


def answered(learner: str, question: Question, answer: Any, points: float, minute: int = 0) -> Event:
    data = {
        "answer": answer,
        "points": points,
        "max_points": question.points,
        "right": points == question.points,
        "attempt": minute + 1,
    }
    when = START + timedelta(minutes=minute)
    return Event(uuid4(), learner, "quiz.answered", when, question.subject, data)


def scored(learner: str, **points: float | None) -> AssignmentScore:
    cells = tuple(CellScore("exercises", cell, "tests", own, 4.0) for cell, own in points.items())
    return AssignmentScore(learner, "joins", START, 0.0, cells)


def test_only_the_first_attempt_says_how_hard_a_question_is() -> None:
    (result,) = question_results(
        [JOIN], [answered("ada", JOIN, "l", 2.0, 1), answered("ada", JOIN, "i", 0.0)]
    )
    assert (result.answered, result.right_first, result.never_right) == (1, 0, 0)


def test_the_wrong_answer_chosen_most_is_named_by_its_text() -> None:
    events = [
        answered(name, JOIN, choice, 0.0) for name, choice in [("ada", "i"), ("bo", "o"), ("cleo", "o")]
    ]
    (result,) = question_results([JOIN], events)
    assert (result.wrong_answer, result.wrong_count) == ("outer", 2)


@pytest.mark.parametrize(
    ("answer", "said", "only_missing"),
    [
        (["l"], "inner", True),
        (["l", "o"], "outer", False),
        (["l", "i", "o"], "outer", False),
        (["l", "i"], "inner + left", False),
    ],
    ids=["a right one is missing", "one wrong, one missing", "one wrong", "right by today's key"],
)
def test_of_a_partly_right_answer_what_is_wrong_is_named(
    answer: list[str], said: str, only_missing: bool
) -> None:
    several = replace(JOIN, right=frozenset({"l", "i"}))
    (result,) = question_results([several], [answered("ada", several, answer, 1.0)])
    assert (result.wrong_answer, result.only_missing) == (said, only_missing)


def test_a_question_nobody_answered_has_no_result() -> None:
    assert question_results([JOIN, COUNT], [answered("ada", JOIN, "l", 2.0)])[0].question == JOIN


def test_one_wrong_answer_ranks_below_what_many_found_hard() -> None:
    few = [answered("ada", COUNT, 3, 0.0)]
    many = [answered(f"learner-{number}", JOIN, "i", 2.0 if number < 3 else 0.0) for number in range(14)]
    assert [result.question for result in question_results([COUNT, JOIN], few + many)] == [JOIN, COUNT]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (["o", "i"], "inner + outer"),
        ([], "—"),
        (3.0, "3"),
        (" left\njoin ", "left join"),
        ("x" * 500, "x" * 119 + "…"),
    ],
)
def test_an_answer_reads_as_a_person_would_write_it(answer: Any, text: str) -> None:
    assert answer_text(JOIN, answer) == text


@given(st.integers(0, 60), st.integers(0, 60))
def test_an_interval_of_a_share_holds_the_share_and_stays_between_0_and_1(successes: int, more: int) -> None:
    trials = successes + more
    low, high = wilson_interval(successes, trials)
    assert 0 <= low <= high <= 1
    if trials:
        assert low - 1e-9 <= successes / trials <= high + 1e-9


def test_the_interval_is_that_of_the_literature() -> None:
    low, high = wilson_interval(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)


def test_an_answer_without_a_mark_counts_as_waiting_and_not_as_zero() -> None:
    exercise = Exercise("joins", "merge", "written", 4.0)
    (result,) = exercise_results([exercise], [scored("ada", merge=3.0), scored("bo", merge=None)])
    assert (result.marked, result.waiting, result.full, result.mean_share) == (1, 1, 0, 0.75)


def test_an_exercise_nobody_handed_in_has_no_mean() -> None:
    (result,) = exercise_results([Exercise("joins", "merge", "tests", 4.0)], [])
    assert result.mean_share is None


def test_a_skill_sums_exercises_and_the_best_attempts_at_questions() -> None:
    events = [
        answered("ada", COUNT, 1, 0.0),
        answered("ada", COUNT, 2, 1.0, 1),
        answered("ada", COUNT, 3, 0.0, 2),
    ]
    exercise = Exercise("joins", "merge", "tests", 4.0, ("joining",))
    joining, checking, unused = skill_results(
        ["joining", "checking", "unused"], [exercise], [COUNT], [scored("ada", merge=1.0)], events
    )
    assert dict(joining.shares) == {"ada": 2.0 / 5.0}
    assert dict(checking.shares) == {"ada": 1.0}
    assert (unused.mean_share, joining.mean_share) == (None, 0.4)
