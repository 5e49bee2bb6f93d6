"""What a learner is told of a test that did not give all its points."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course.checks import call, check
from course.language import translator
from graders.execution.results import TestResult
from graders.execution.status import KERNEL_DIED, fault
from graders.feedback_message import MAX_MESSAGE_LENGTH, note_results, why_tests_failed

pytestmark = pytest.mark.quick


def told(cell: NotebookNode, language: str = "en") -> str:
    return why_tests_failed(cell, translator("exchange", language))


def cell_of(*outputs: Any) -> NotebookNode:
    return new_code_cell("test", outputs=list(outputs), metadata={"nbgrader": {"grade_id": "mean-tests"}})


def ended(status: Any, message: str = "") -> NotebookNode:
    cell = cell_of()
    result = TestResult("mean-tests", status, None, "referee", message)
    note_results(new_notebook(cells=[cell]), {"mean-tests": result})
    return cell


def test_what_failed_checks_printed_is_the_message_beside_partial_credit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print("my own line")  # noqa: T201 - a learner prints
    earned = check(call(max, [1, 3]), 3, points=1) + check(2, 4, points=1, message="Double it.")
    check([1], [2], points=1)
    print("  ✗ not a check")  # noqa: T201
    outputs = [
        new_output("stream", text=capsys.readouterr().out),
        new_output("execute_result", {"text/plain": repr(earned)}),
    ]
    assert told(cell_of(*outputs)) == "✗ Double it.\n   Expected 4, got 2\n✗ [0]: expected 2, got 1"


def test_an_error_comes_first_and_an_assertion_speaks_for_itself() -> None:
    check_text = new_output("stream", text="✗ a check\n")
    error = new_output("error", ename="AssertionError", evalue="Double it.\nExpected 4, got 2", traceback=[])
    assert told(cell_of(check_text, error)) == "Double it.\nExpected 4, got 2"
    assert told(cell_of(error, fault(KERNEL_DIED, "x"))).startswith("The kernel stopped working")


def test_how_the_full_test_ended_is_told_where_the_visible_part_passes() -> None:
    assert told(ended("time")) == "Your code ran too long and was stopped."
    assert told(ended("memory")).startswith("The kernel stopped working")
    assert told(ended("failed", "The test gave no points.")) == "The test gave no points."
    assert told(ended("failed")).startswith("The checks you can see pass")
    assert told(ended("time"), "fr") != told(ended("time"))


def test_a_learner_cannot_write_how_a_test_ended_and_stops_no_feedback_by_it() -> None:
    for written in ("x", ["x"], {"status": {}, "message": ["x"]}, {"message": {"a": 1}}):
        cell = cell_of()
        cell.metadata["spoc_result"] = written
        assert told(cell)
        note_results(new_notebook(cells=[cell]), {})
        assert "spoc_result" not in cell.metadata


def test_a_message_is_bounded_and_printable() -> None:
    nasty = "\x1b[31m✗ \u202e\x00" + "x" * 100_000
    for output in (
        new_output("stream", text=f"✗ {nasty}\n" * 1000),
        new_output("error", ename=nasty, evalue=nasty, traceback=[nasty]),
        new_output("error", ename="AssertionError", evalue=nasty, traceback=[nasty]),
    ):
        message = told(cell_of(output))
        assert len(message) <= MAX_MESSAGE_LENGTH
        assert all(character.isprintable() or character == "\n" for character in message)
