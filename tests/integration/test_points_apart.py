"""Tests that give points as numbers are judged apart from the learner's code, by nbgrader's rules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from nbformat import NotebookNode

from graders.execution.results import RunLimits, TestCell
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from graders.referee.calibration import Trust, calibrate
from tests.equality.cells import code, locked_tests, notebook

POINTS = 2.0
LIMITS = RunLimits(cell_seconds=4)


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmParent]:
    with WarmParent(WarmEnvironment(imports=("numpy",))) as parent:
        yield parent


def given(answer: str, test: str) -> NotebookNode:
    return notebook(code(answer), locked_tests("t", test, points=POINTS))


def trust(warm: WarmParent, solution: str, test: str) -> Trust:
    return calibrate(given(solution, test), {"t": TestCell("t", test, test)}, b"", warm, LIMITS)["t"]


@pytest.mark.parametrize("result", ["-1", "7", "0.5", "'fine'", "True"])
def test_whatever_a_solution_gives_its_test_is_the_referees(warm: WarmParent, result: str) -> None:
    found = trust(warm, "x = 1", f"x and {result}")
    assert (found.trust, found.reason) == ("referee", "")


def test_a_test_that_gives_other_points_apart_says_so(warm: WarmParent) -> None:
    """By the class of a stream it tells where it runs."""
    found = trust(warm, "x = 1", "import sys\nlen(type(sys.stdout).__name__) / 100 + 0 * x")
    assert found.trust == "kernel"
    assert found.reason == "apart from the learner's code it gives 0.07 points, and beside it 0.1"
