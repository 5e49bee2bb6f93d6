"""What is said about handing in and feedback stands in the French catalogue."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from course.grading import GAVE_UP, REPLACED
from course.language import catalogue
from graders.execution.verdict import NO_POINTS
from graders.referee.trial import NO_NUMBER

pytestmark = pytest.mark.quick

PROJECT = Path(__file__).parents[2]
FILES = (
    "course/score_text.py",
    "extensions/feedback/view.py",
    "extensions/kernel/submission.py",
    "graders/engine/submission.py",
    "graders/feedback.py",
    "graders/feedback_message.py",
    "graders/feedback_page.py",
    "graders/worker.py",
)
KEPT = (NO_NUMBER, NO_POINTS, GAVE_UP, REPLACED)
"""Texts that are translated when they are read."""


def marked_texts() -> Iterator[str]:
    """Every literal text that a translating function is called with."""
    for name in FILES:
        for node in ast.walk(ast.parse((PROJECT / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in {"_", "message", "translate"}:
                match node.args:
                    case [ast.Constant(value=str(text))]:
                        yield text


def _name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def test_every_marked_text_has_its_french() -> None:
    texts = {*marked_texts(), *KEPT}
    assert len(texts) > 40
    assert texts - catalogue("exchange", "fr").keys() == set()
