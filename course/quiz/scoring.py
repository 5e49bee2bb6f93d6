"""What one answer is worth, and what to say of it: pure functions of the question and the answer."""

from __future__ import annotations

import math
from dataclasses import dataclass

from course.api import Answer
from course.errors import CourseError, TooLarge
from course.quiz.model import Choice, MultipleChoice, Numeric, Question, ShortText, SingleChoice
from course.quiz.normal import is_near, normal_text

TEXT_CHARACTERS = 1000
LARGEST_NUMBER = 1e15


@dataclass(frozen=True, slots=True)
class Score:
    """`points` of the question's, and whether the answer is wholly right."""

    points: float
    right: bool


@dataclass(frozen=True, slots=True)
class Comment:
    """The author's words on an answer: on all of it, and by choice id on what was chosen; Markdown."""

    overall: str
    choices: dict[str, str]


def score(question: Question, answer: Answer) -> Score:
    """Judge `answer`.

    Single choice, numeric and short text: all points or none. Multiple choice: each of the R right choices
    that was chosen adds 1/R of the points, each of the W wrong ones takes away 1/W, and nobody gets less
    than 0; so that choosing all, or guessing, is worth nothing.

    Raises:
        CourseError: The answer is not one to this kind of question. TooLarge: it is too long.
    """
    match question:
        case SingleChoice():
            choice = _choice_of(question, answer)
            return _all_or_nothing(question, choice.correct)
        case MultipleChoice():
            return _score_choices(question, _chosen_of(question, answer))
        case Numeric():
            return _all_or_nothing(question, is_near(_number_of(answer), question.answer, question.tolerance))
        case ShortText():
            accepted = {normal_text(text) for text in question.accept}
            return _all_or_nothing(question, normal_text(_text_of(answer)) in accepted)


def comment_on(question: Question, answer: Answer, *, right: bool) -> Comment:
    """Return what the author says of an answer that was scored; empty where the question has no word for it.

    The question may have been edited since, so nothing here fails on an old answer.
    """
    match question:
        case SingleChoice() | MultipleChoice():
            chosen = (
                {answer} if isinstance(answer, str) else set(answer) if isinstance(answer, list) else set()
            )
            return Comment(
                "", {choice.id: choice.feedback for choice in question.choices if choice.id in chosen}
            )
        case Numeric():
            known = (
                mistake.feedback
                for mistake in question.mistakes
                if isinstance(answer, (int, float)) and is_near(answer, mistake.value, mistake.tolerance)
            )
        case ShortText():
            known = (
                mistake.feedback
                for mistake in question.mistakes
                if isinstance(answer, str) and normal_text(answer) == normal_text(mistake.text)
            )
    return Comment(question.feedback.right if right else next(known, question.feedback.wrong), {})


def _all_or_nothing(question: Question, right: bool) -> Score:
    return Score(question.points if right else 0.0, right)


def _score_choices(question: MultipleChoice, chosen: frozenset[str]) -> Score:
    right = {choice.id for choice in question.choices if choice.correct}
    wrong = {choice.id for choice in question.choices if not choice.correct}
    if chosen == right:
        return Score(question.points, right=True)
    share = len(chosen & right) / len(right) - len(chosen & wrong) / len(wrong)
    return Score(round(question.points * max(0.0, share), 2), right=False)


def _choice_of(question: SingleChoice, answer: Answer) -> Choice:
    for choice in question.choices:
        if choice.id == answer:
            return choice
    raise CourseError("Choose one of the choices.")


def _chosen_of(question: MultipleChoice, answer: Answer) -> frozenset[str]:
    chosen = frozenset(answer) if isinstance(answer, list) else frozenset()
    if not chosen or not chosen <= {choice.id for choice in question.choices}:
        raise CourseError("Choose at least one of the choices.")
    return chosen


def _number_of(answer: Answer) -> float:
    if not isinstance(answer, float) or not math.isfinite(answer) or abs(answer) > LARGEST_NUMBER:
        raise CourseError("Write a number, such as 12.5.")
    return answer


def _text_of(answer: Answer) -> str:
    if not isinstance(answer, str) or not normal_text(answer):
        raise CourseError("Write your answer first.")
    if len(answer) > TEXT_CHARACTERS:
        raise TooLarge("The answer is too long.")
    return answer
