"""Reads the automatic scores and comments off a notebook that was run, by nbgrader's rules."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution, is_task

from graders.engine.results import CellComment, CellGrade, Remark
from graders.execution.results import TestResult
from graders.execution.status import NO_RESULT, fault

NO_RESPONSE = "No response."
_NO_POINTS = "The result of the cell is not a number of points it can give."


def write_quiz_points(notebook: NotebookNode, quiz_cell: str, points: float) -> None:
    """Write quiz points as the output of their cell, for nbgrader to take as partial credit."""
    for cell in notebook.cells:
        if is_grade(cell) and cell.metadata.nbgrader.grade_id == quiz_cell:
            given = min(max(0.0, points), float(cell.metadata.nbgrader.points))
            cell.outputs = [new_output("execute_result", {"text/plain": repr(given)})]


def cell_grades(
    notebook: NotebookNode, kept: str, unchanged: Collection[str], forgeable: Mapping[str, str]
) -> Iterator[CellGrade]:
    """Yield the grade of each graded cell.

    Args:
        notebook: Graded; a cell whose result is no points gets an error that says so.
        kept: The cell whose points are those of the gradebook; may be empty.
        unchanged: The cells whose marks stay settled.
        forgeable: Reasons by cell.
    """
    for cell in notebook.cells:
        if is_grade(cell):
            name = cell.metadata.nbgrader.grade_id
            score = None if name == kept else _score(cell)
            yield CellGrade(name, score, name == kept, name in unchanged, forgeable.get(name, ""))


def cell_comments(notebook: NotebookNode) -> Iterator[CellComment]:
    """Yield nbgrader's comment on each answer and task."""
    for cell in notebook.cells:
        if is_solution(cell) or is_task(cell):
            given = cell.metadata.nbgrader
            untouched = not is_task(cell) and given.get("checksum") == compute_checksum(cell)
            yield CellComment(given.grade_id, NO_RESPONSE if untouched else None)


def test_remarks(
    name: str, tests: Mapping[str, TestResult], forgeable: Mapping[str, str]
) -> Iterator[Remark]:
    """Yield what a trainer should know about how the tests of a notebook came by their results."""
    for cell, result in tests.items():
        if cell in forgeable:
            yield Remark("forgeable", forgeable[cell], name, cell)
        if result.message and result.status == "ok":
            yield Remark("points", result.message, name, cell)


def _score(cell: NotebookNode) -> float | None:
    try:
        score, _ = determine_grade(cell)
    except (LookupError, TypeError, ValueError):
        # A step of the course's own can leave such a result. nbgrader would grade the notebook no further.
        cell.outputs = [fault(NO_RESULT, _NO_POINTS), *cell.outputs]
        return 0.0
    return None if score is None else float(score)
