"""Looks through a release for what learners must not have; trusts neither nbgrader's stripping nor ours.

A line that is secret in the source (a solution, a hidden test, a model answer) may be in the release only
if the same line also stands openly in the source. The quiz's explanations may be in no file at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils as nbgrader_utils

from course.quiz import MultipleChoice, Numeric, Quiz, ShortText, SingleChoice
from course.quiz.model import QUIZ_FILE
from graders.authoring.regions import MARKS, REGIONS, SOLUTION, split

SHORTEST_TELLING_TEXT = 20
"""Characters from which on finding a text of the quiz elsewhere is no coincidence."""


def leaks(source_dir: Path, release_dir: Path, quiz: Quiz) -> Iterator[str]:
    """Yield each thing in `release_dir` (of one module) that must not be there, as `file: what`."""
    source_files, release_files = _files(source_dir), _files(release_dir)
    for name in sorted(release_files ^ source_files):
        yield f"{name}: is in only one of source and release"
    secret, visible = _source_lines(source_dir)
    told = _squeezed("\n".join(sorted(visible)))
    for name in sorted(release_files):
        text = (release_dir / name).read_text(encoding="utf-8", errors="replace")
        if Path(name).name == QUIZ_FILE:
            yield f"{name}: holds the answer key"
        try:
            strings = list(_strings(json.loads(text))) if name.endswith(".ipynb") else [text]
        except (ValueError, RecursionError):
            yield f"{name}: cannot be read as a notebook"
            continue
        lines = {line.strip() for string in strings for line in string.splitlines()}
        for line in sorted(lines):
            if name.endswith(".ipynb") and (line in secret - visible or any(mark in line for mark in MARKS)):
                yield f"{name}: {line!r}"
        squeezed = _squeezed("\n".join(strings))
        for explanation in _explanations(quiz):
            if explanation in squeezed and explanation not in told:
                yield f"{name}: the quiz's {explanation!r}"


def _files(folder: Path) -> frozenset[str]:
    """Return the files by path; what begins with a dot, as JupyterLab's checkpoints do, is never released."""
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return frozenset(
        name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts)
    )


def _source_lines(source_dir: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return the secret and the open lines of all source notebooks, without indentation."""
    secret, visible = set[str](), set[str]()
    for path in source_dir.glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if nbgrader_utils.is_solution(cell) and f"BEGIN {SOLUTION}" not in cell.source:
                secret.update(cell.source.splitlines())
                continue
            lines = tuple(cell.source.splitlines())
            for region in REGIONS:
                parts = split("\n".join(lines), region)
                secret.update(parts.secret)
                lines = parts.visible
            visible.update(lines)
    return (
        frozenset(line.strip() for line in secret if line.strip()),
        frozenset(line.strip() for line in visible),
    )


def _strings(value: Any) -> Iterator[str]:
    """Yield every text in a notebook's JSON; a source that is a list of lines as one text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        yield "".join(value)
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _explanations(quiz: Quiz) -> Iterator[str]:
    texts: list[str] = []
    for question in quiz.questions:
        match question:
            case SingleChoice() | MultipleChoice():
                texts += [choice.feedback for choice in question.choices]
            case Numeric() | ShortText():
                texts += [question.feedback.right, question.feedback.wrong]
                texts += [mistake.feedback for mistake in question.mistakes]
    yield from (_squeezed(text) for text in texts if len(text) >= SHORTEST_TELLING_TEXT)


def _squeezed(text: str) -> str:
    return " ".join(text.split())
