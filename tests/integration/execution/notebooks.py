"""Cells that are graded, and what they gave."""

from __future__ import annotations

from collections.abc import Callable

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from nbgrader.utils import determine_grade

from graders.execution.results import ExecutedNotebook

POINTS = 4

Execute = Callable[..., ExecutedNotebook]


def marked_cell(name: str) -> NotebookNode:
    cell = new_code_cell("assert True  # whatever was submitted")
    cell.metadata.nbgrader = {
        "grade_id": name,
        "grade": True,
        "solution": False,
        "locked": True,
        "points": POINTS,
        "schema_version": 3,
        "task": False,
    }
    return cell


def grades(executed: ExecutedNotebook) -> list[float | None]:
    """Return the points that nbgrader finds in the graded notebook."""
    return [determine_grade(cell)[0] for cell in executed.graded.cells if "nbgrader" in cell.metadata]


def text(cell: NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")
