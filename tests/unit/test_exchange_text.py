"""What is said about handing in and feedback stands in the French catalogue."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from course.language import catalogue

pytestmark = pytest.mark.quick

PROJECT = Path(__file__).parents[2]
FILES = ("extensions/feedback/view.py", "extensions/kernel/submission.py")


def marked_texts() -> Iterator[str]:
    """Every literal text that a translating function is called with."""
    for name in FILES:
        for node in ast.walk(ast.parse((PROJECT / name).read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr in {"_", "message"}:
                for part in ast.walk(node.args[0]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.value


def test_every_marked_text_has_its_french() -> None:
    texts = set(marked_texts())
    assert len(texts) > 15
    assert texts - catalogue("exchange", "fr").keys() == set()
