"""Which marks stay settled when a submission is graded again."""

from __future__ import annotations

import logging

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_solution

_log = logging.getLogger("spoc.engine")


def unchanged_cells(before: bytes | None, shown: NotebookNode) -> frozenset[str]:
    """Return the cells about whose work a trainer reads the same as last time.

    A written answer is its own cell; what tests are about may stand anywhere in the notebook.

    Args:
        before: The trainer's notebook of last time; trainers can write it.
        shown: The trainer's notebook now.
    """
    if before is None:
        return frozenset()
    try:
        old = nbformat.reads(before.decode("utf-8"), as_version=4)
    # nbformat raises whatever its input makes it stumble over.
    except Exception:
        _log.warning(
            "the notebook that was graded last cannot be read; marks wait for the trainer", exc_info=True
        )
        return frozenset()
    same_everywhere = [cell.source for cell in old.cells] == [cell.source for cell in shown.cells]
    answers = {_name(cell): cell.source for cell in old.cells if is_solution(cell)}
    return frozenset(
        _name(cell)
        for cell in shown.cells
        if same_everywhere or (is_solution(cell) and answers.get(_name(cell)) == cell.source)
    )


def _name(cell: NotebookNode) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
