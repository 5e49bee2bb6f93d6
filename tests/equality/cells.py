"""The kinds of cells that nbgrader knows, as an instructor would make them."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

SCHEMA_VERSION = 3
PYTHON = {"display_name": "Python 3", "language": "python", "name": "python3"}
R = {"display_name": "R", "language": "R", "name": "ir"}


def notebook(*cells: NotebookNode, kernelspec: dict[str, str] = PYTHON) -> NotebookNode:
    """Return a notebook; cell ids follow the order, so that two runs make the same file."""
    for position, cell in enumerate(cells):
        cell.id = f"cell-{position}"
    return new_notebook(cells=list(cells), metadata={"kernelspec": kernelspec})


def text(source: str) -> NotebookNode:
    return new_markdown_cell(clean(source))


def code(source: str) -> NotebookNode:
    """An ordinary code cell, which nbgrader does not look at."""
    return new_code_cell(clean(source))


def read_only(grade_id: str, source: str) -> NotebookNode:
    return _graded(new_code_cell(clean(source)), grade_id, locked=True)


def read_only_text(grade_id: str, source: str) -> NotebookNode:
    return _graded(new_markdown_cell(clean(source)), grade_id, locked=True)


def answer(grade_id: str, source: str) -> NotebookNode:
    """An autograded answer; what stands between the solution marks is the reference solution."""
    return _graded(new_code_cell(clean(source)), grade_id, solution=True)


def locked_tests(grade_id: str, source: str, points: float = 1) -> NotebookNode:
    return _graded(new_code_cell(clean(source)), grade_id, points, grade=True, locked=True)


def program(grade_id: str, source: str, points: float) -> NotebookNode:
    """A code answer that a person grades."""
    return _graded(new_code_cell(clean(source)), grade_id, points, grade=True, solution=True)


def essay(grade_id: str, source: str, points: float) -> NotebookNode:
    """A written answer that a person grades."""
    return _graded(new_markdown_cell(clean(source)), grade_id, points, grade=True, solution=True)


def task(grade_id: str, source: str, points: float) -> NotebookNode:
    """A task: the learner adds cells below, a person grades what is there."""
    return _graded(new_markdown_cell(clean(source)), grade_id, points, task=True, locked=True)


def _graded(cell: NotebookNode, grade_id: str, points: float | None = None, **flags: bool) -> NotebookNode:
    metadata: dict[str, Any] = dict.fromkeys(("grade", "solution", "locked", "task"), False)
    metadata |= {"grade_id": grade_id, "schema_version": SCHEMA_VERSION, **flags}
    if points is not None:
        metadata["points"] = points
    cell.metadata["nbgrader"] = metadata
    return cell


def clean(source: str) -> str:
    return dedent(source).strip("\n")
