"""A test's result is what nbgrader would read from its outputs, and never more than there is to give."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from nbgrader.utils import determine_grade

from graders.execution.results import Judgement, TestCell
from graders.execution.status import NO_RESULT, RunStatus, fault
from graders.execution.verdict import verdict

pytestmark = pytest.mark.quick

POINTS = 5
TEST = TestCell("t", "assert 1", "assert 1")


def _judged(*outputs: NotebookNode, status: RunStatus = "ok") -> tuple[Judgement, float | None]:
    graded = {"grade_id": "t", "grade": True, "solution": False, "locked": True, "points": POINTS}
    cell = new_code_cell("", metadata={"nbgrader": graded})
    judgement = verdict(TEST, cell, outputs, status)
    cell.outputs = list(judgement.outputs)
    return judgement, determine_grade(cell)[0]


def _result(text: Any) -> NotebookNode:
    return new_output("execute_result", data={"text/plain": text})


@pytest.mark.parametrize(
    ("text", "points", "grade"),
    [("2.5", 2.5, 2.5), ("0", 0, 0), ("'fine'", None, POINTS), ("-1", None, POINTS), (["3"], 3, 3)],
)
def test_a_number_is_partial_credit(text: Any, points: float | None, grade: float) -> None:
    judgement, read = _judged(_result(text))
    assert (judgement.result.status, judgement.result.points, read) == ("ok", points, grade)


def test_without_a_result_a_test_that_ran_has_passed() -> None:
    judgement, read = _judged(new_output("stream", text="fine"))
    assert (judgement.result.status, judgement.result.points, read) == ("ok", None, POINTS)


def test_too_many_points_are_capped_and_that_is_said() -> None:
    judgement, read = _judged(_result("7"))
    assert (judgement.result.points, read) == (POINTS, POINTS)
    assert judgement.result.message


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "", []])
def test_what_is_no_amount_gives_nothing(text: Any) -> None:
    judgement, read = _judged(_result(text))
    assert read == 0
    assert judgement.outputs[0].ename == NO_RESULT


def test_an_error_counts_though_a_result_came_first() -> None:
    judgement, read = _judged(_result("5"), fault("AssertionError", ""), status="failed")
    assert (judgement.result.status, read) == ("failed", 0)


def test_a_warning_is_a_failure_as_for_nbgrader() -> None:
    judgement, read = _judged(new_output("stream", name="stderr", text="careful"))
    assert (judgement.result.status, read) == ("failed", 0)
