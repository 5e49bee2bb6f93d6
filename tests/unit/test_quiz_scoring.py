"""What an answer is worth."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.errors import CourseError, TooLarge
from course.quiz import MultipleChoice, Question, Quiz
from course.quiz.scoring import Score, comment_on, score
from tests.quizzes import QUIZ, changed

pytestmark = pytest.mark.quick

AXIS, MISSING, MEAN, GROUP = Quiz.model_validate(QUIZ).questions


def test_a_single_choice_is_all_or_nothing() -> None:
    assert score(AXIS, "b") == Score(1, right=True)
    assert score(AXIS, "a") == Score(0, right=False)


@pytest.mark.parametrize(
    ("chosen", "points"),
    [
        (["a", "c"], 2),
        (["a"], 1),
        (["a", "c", "b"], 1),
        (["a", "b"], 0),
        (["b", "d"], 0),
        (["a", "b", "c", "d"], 0),
    ],
)
def test_each_choice_of_several_counts_for_itself_and_nobody_gets_less_than_nothing(
    chosen: list[str], points: float
) -> None:
    assert score(MISSING, chosen) == Score(points, right=points == 2)


@given(st.sets(st.sampled_from("abcd"), min_size=1))
def test_only_the_exact_choices_are_right(chosen: set[str]) -> None:
    result = score(MISSING, sorted(chosen))
    assert 0 <= result.points <= 2
    assert result.right == (chosen == {"a", "c"}) == (result.points == 2)


@pytest.mark.parametrize(("value", "right"), [(12.5, True), (12.51, True), (12.49, True), (12.52, False)])
def test_a_number_is_right_up_to_its_tolerance(value: float, right: bool) -> None:
    assert score(MEAN, value).right is right


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_no_number_and_an_absurd_one_are_refused(value: float) -> None:
    with pytest.raises(CourseError, match="number"):
        score(MEAN, value)


@pytest.mark.parametrize(
    "text",
    ["group by", " GROUP   by ", "Group\u00a0By", "GROUP\tBY\n", "ｇｒｏｕｐ by", "gro\u200bup by"],
)
def test_case_spacing_and_unicode_forms_of_a_text_do_not_matter(text: str) -> None:
    assert score(GROUP, text).right


def test_typographic_quotes_say_the_same_as_plain_ones() -> None:
    question = Quiz.model_validate(changed(3, accept=["df['a']"])).questions[3]
    assert score(question, "df[‘a’]").right


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (AXIS, "z"),
        (AXIS, 1.0),
        (AXIS, ["b"]),
        (MISSING, []),
        (MISSING, ["a", "z"]),
        (MISSING, "a"),
        (MEAN, "12.5"),
        (GROUP, "  \u200b"),
        (GROUP, 3.0),
    ],
)
def test_an_answer_of_the_wrong_kind_is_refused_not_scored(
    question: Question, answer: str | float | list[str]
) -> None:
    with pytest.raises(CourseError):
        score(question, answer)


def test_an_endless_text_is_refused() -> None:
    with pytest.raises(TooLarge):
        score(GROUP, "x" * 1001)


def test_feedback_is_only_on_what_was_chosen() -> None:
    comment = comment_on(MISSING, ["b"], right=False)
    assert comment.choices == {"b": "KEY-missing-b: zero is a value."}


def test_a_known_mistake_gets_its_own_feedback() -> None:
    assert comment_on(MEAN, 25.0, right=False).overall.startswith("KEY-mean-sum")
    assert comment_on(MEAN, 26.0, right=False).overall.startswith("KEY-mean-wrong")
    assert comment_on(GROUP, "ORDER BY", right=False).overall.startswith("KEY-group-order")
    assert comment_on(GROUP, "group by", right=True).overall.startswith("KEY-group-right")


def test_an_old_answer_to_a_choice_that_is_gone_has_no_feedback() -> None:
    assert isinstance(MISSING, MultipleChoice)
    assert comment_on(MISSING, ["gone", "a"], right=False).choices == {"a": "KEY-missing-a: yes."}
