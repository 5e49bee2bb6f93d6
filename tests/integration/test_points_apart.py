"""Tests that give points as numbers are judged apart from the learner's code, by nbgrader's rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from graders.execution.results import RunLimits, TestCell
from graders.execution.run import execute_notebook
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from graders.referee.calibration import Trust, calibrate, calibrated, instructor_side
from graders.referee.trial import Referee
from tests.equality.cells import code, locked_tests, notebook

POINTS = 2.0
LIMITS = RunLimits()


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmParent]:
    with WarmParent(WarmEnvironment(imports=("numpy",))) as parent:
        yield parent


def given(answer: str, test: str) -> NotebookNode:
    return notebook(code(answer), locked_tests("t", test, points=POINTS))


def trust(warm: WarmParent, solution: str, test: str) -> Trust:
    return calibrate(given(solution, test), {"t": TestCell("t", test, test)}, b"", warm, LIMITS)["t"]


def score(warm: WarmParent, solution: str, test: str, answer: str) -> float | None:
    """Return what a learner's answer gets of a test, by a calibration with the author's solution."""
    found = trust(warm, solution, test)
    assert found.trust == "referee"
    tests = {"t": replace(TestCell("t", test, test), at_end=found.at_end)}
    side = calibrated(instructor_side(given(solution, test), tests, b""), {"t": found})
    executed = execute_notebook(
        given(answer, test), tests, b"", warm, LIMITS, lambda: Referee(warm, LIMITS, side)
    )
    return determine_grade(executed.graded.cells[1])[0]


@pytest.mark.parametrize("result", ["-1", "7", "0.5", "'fine'", "True"])
def test_whatever_a_solution_gives_its_test_is_the_referees(warm: WarmParent, result: str) -> None:
    found = trust(warm, "x = 1", f"x and {result}")
    assert (found.trust, found.reason) == ("referee", "")


def test_a_test_that_gives_other_points_apart_says_so(warm: WarmParent) -> None:
    """By the module of a stream it tells where it runs."""
    found = trust(warm, "x = 1", "import sys\n0.2 * x if 'referee' in type(sys.stdout).__module__ else 0.1")
    assert found.trust == "kernel"
    assert found.reason == "apart from the learner's code it gives 0.2 points, and beside it 0.1"


@pytest.mark.parametrize(
    ("answer", "points"),
    [
        ("np.float64(0.25)", 0.25),
        ("np.float32(0.5)", 0.5),
        ("np.int64(1)", 1),
        ("np.float64(9)", POINTS),
        ("np.float64('nan')", 0),
        ("np.float64('inf')", 0),
        ("np.float64(-1)", 0),
        ("np.array([1.0])", 0),
    ],
)
def test_a_number_of_numpys_is_the_points_that_it_says(warm: WarmParent, answer: str, points: float) -> None:
    assert score(warm, "x = 2.0", "x", f"import numpy as np\nx = {answer}") == points


def test_where_the_solution_gives_a_number_of_numpys_all_get_full_points_as_from_nbgrader(
    warm: WarmParent,
) -> None:
    solution = "import numpy as np\nx = np.float64(2)"
    assert score(warm, solution, "x", solution) == POINTS
    assert score(warm, solution, "x", "import numpy as np\nx = np.float64(0.5)") == POINTS
    assert score(warm, solution, "x", "x = 0.5") == 0.5
