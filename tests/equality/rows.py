"""What grading left: every row of the gradebook, and the autograded notebooks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from tests.equality.course import COURSE_ID

FORGEABLE = "This test ran beside the learner's code"
"""How the comment begins with which the engine marks a test that could be forged."""

Place = tuple[str, str, str, str]
"""Assignment, student, notebook, cell; the last two are empty where the row is about more."""


@dataclass(frozen=True)
class Grade:
    auto_score: float | None
    manual_score: float | None
    extra_credit: float | None
    max_score: float
    needs_manual_grade: bool


@dataclass(frozen=True)
class Comment:
    auto_comment: str | None
    manual_comment: str | None


@dataclass(frozen=True)
class Penalty:
    late_submission_penalty: float | None
    score: float


@dataclass(frozen=True)
class HandedIn:
    timestamp: str
    seconds_late: float
    score: float
    needs_manual_grade: bool


Row = Grade | Comment | Penalty | HandedIn


def gradebook_rows(course: Path) -> dict[tuple[str, Place], Row]:
    """Return every row of a course's gradebook, by kind and place."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", COURSE_ID) as gradebook:
        return dict(_rows(gradebook))


def _rows(gradebook: Gradebook) -> Iterator[tuple[tuple[str, Place], Row]]:
    for assignment in gradebook.assignments:
        for submission in assignment.submissions:
            whole = (assignment.name, submission.student.id, "", "")
            yield (
                ("submission", whole),
                HandedIn(
                    str(submission.timestamp),
                    submission.total_seconds_late,
                    submission.score,
                    submission.needs_manual_grade,
                ),
            )
            for notebook in submission.notebooks:
                place = (*whole[:2], notebook.name)
                yield (
                    ("notebook", (*place, "")),
                    Penalty(notebook.late_submission_penalty, notebook.score),
                )
                for grade in notebook.grades:
                    yield (
                        ("grade", (*place, grade.name)),
                        Grade(
                            grade.auto_score,
                            grade.manual_score,
                            grade.extra_credit,
                            grade.max_score,
                            bool(grade.needs_manual_grade),
                        ),
                    )
                for comment in notebook.comments:
                    yield (
                        ("comment", (*place, comment.name)),
                        Comment(comment.auto_comment, comment.manual_comment),
                    )


def autograded_files(course: Path) -> dict[str, Path]:
    """Return the files below autograded/ by relative name."""
    folder = course / "autograded"
    return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}


def cells_of(path: Path) -> list[dict[str, Any]]:
    """Return what a notebook shows, cell by cell, without what no two runs have in common."""
    return [_shown(cell) for cell in nbformat.read(path, as_version=4).cells]


def _shown(cell: NotebookNode) -> dict[str, Any]:
    metadata = {name: part for name, part in cell.metadata.items() if name != "execution"}  # when it ran
    shown: dict[str, Any] = {"type": cell.cell_type, "source": cell.source, "metadata": metadata}
    if cell.cell_type == "code":
        shown["count"] = cell.execution_count
        shown["outputs"] = [_settled(output) for output in _joined(cell.outputs)]
    return shown


def _joined(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Return outputs with neighbouring texts of a stream as one: kernels send them in pieces of any size."""
    joined: list[NotebookNode] = []
    for output in map(deepcopy, outputs):
        newest = joined[-1] if joined else None
        if newest is not None and _stream(newest) and _stream(newest) == _stream(output):
            newest.text += output.text
        else:
            joined.append(output)
    return joined


def _stream(output: NotebookNode) -> str:
    return str(output.name) if output.output_type == "stream" else ""


def _settled(output: Any) -> Any:
    """Return an output without addresses and the kernel's own file names."""
    if isinstance(output, str):
        output = re.sub(r"0x[0-9a-f]{6,}", "0x…", output)
        return re.sub(r"/tmp/ipykernel_\d+/\d+\.py", "<cell>", output)
    if isinstance(output, dict):
        return {key: _settled(value) for key, value in output.items()}
    if isinstance(output, list):
        return [_settled(part) for part in output]
    return output
