"""What learners see in place of an author's choice ids, which may tell what a choice is about.

A choice is served as a, b, c … by its position; the record keeps the author's id, which outlives a new order.
"""

from __future__ import annotations

from string import ascii_lowercase

from course.api import Answer
from course.quiz.model import MultipleChoice, Question, SingleChoice


def letters(question: Question) -> dict[str, str]:
    """Return the letter of each choice by its author's id; empty for a question without choices."""
    if not isinstance(question, SingleChoice | MultipleChoice):
        return {}
    return {choice.id: letter for choice, letter in zip(question.choices, ascii_lowercase, strict=False)}


def in_ids(question: Question, answer: Answer) -> Answer:
    """Return an answer given in letters in the author's ids; a letter of no choice becomes the empty text."""
    ids = {letter: choice for choice, letter in letters(question).items()}
    return _translated(answer, ids) if ids else answer


def in_letters(question: Question, answer: Answer) -> Answer:
    """Return a recorded answer in letters; one of a choice that is gone becomes the empty text."""
    known = letters(question)
    return _translated(answer, known) if known else answer


def _translated(answer: Answer, names: dict[str, str]) -> Answer:
    if isinstance(answer, list):
        return [names.get(each, "") for each in answer]
    return names.get(str(answer), "")
