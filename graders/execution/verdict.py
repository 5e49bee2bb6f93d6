"""Reads a test's result from the outputs of its cell, by nbgrader's rules."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from nbformat import NotebookNode

from graders.execution.results import Judgement, TestCell, TestResult
from graders.execution.status import NO_RESULT, RunStatus, fault

NO_POINTS = "The result of the cell is not a number of points it can give."


def verdict(
    test: TestCell,
    cell: NotebookNode,
    outputs: Sequence[NotebookNode],
    status: RunStatus,
    message: str = "",
) -> Judgement:
    """Return what a test gave.

    Args:
        test: The test.
        cell: Its cell, with nbgrader's metadata.
        outputs: What it showed.
        status: How it ran.
        message: What a learner may read about it.

    Returns:
        The result, and outputs in which nbgrader finds the same: errors come first, since it believes the
        first error or result that it meets; points above the maximum, for which it would refuse the whole
        notebook, are the maximum.
    """
    ordered = sorted(outputs, key=lambda output: output.output_type != "error")
    result = next((output for output in ordered if output.output_type == "execute_result"), None)
    if status == "ok" and any(map(_is_failure, ordered)):
        # nbgrader takes whatever is written to stderr, a warning too, for a failure.
        status = "failed"
    if status != "ok" or result is None:
        return Judgement(TestResult(test.grade_id, status, None, test.trust, message), tuple(ordered))
    points, remark = _points(result, float(cell.metadata.nbgrader.points))
    if remark == NO_POINTS:
        ordered.insert(0, fault(NO_RESULT, NO_POINTS))
        none = TestResult(test.grade_id, "runtime-error", None, test.trust, remark)
        return Judgement(none, tuple(ordered))
    if remark:
        result.data["text/plain"] = repr(points)
    return Judgement(TestResult(test.grade_id, "ok", points, test.trust, remark or message), tuple(ordered))


def _is_failure(output: NotebookNode) -> bool:
    return output.output_type == "error" or (output.output_type == "stream" and output.name == "stderr")


def _points(result: NotebookNode, maximum: float) -> tuple[float | None, str]:
    """Return partial credit, None for full points, and what is to be said about it."""
    text = result.data.get("text/plain")
    if not text:
        return None, NO_POINTS
    try:
        points = float("".join(text))
    except ValueError:
        # Any other result is a success to nbgrader, and so is a number below zero.
        return None, ""
    if not isfinite(points):
        return None, NO_POINTS
    if points > maximum:
        return maximum, f"The test gave {points:g} points of {maximum:g}: {maximum:g} count."
    return (points, "") if points >= 0 else (None, "")
