"""A cell of checks gives the same points in a notebook, in stock nbgrader and in the referee."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade

from graders.execution.results import RunLimits, TestCell
from graders.execution.run import execute_notebook
from graders.feedback_message import why_tests_failed
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from graders.referee.calibration import calibrate, instructor_side
from graders.referee.trial import InstructorSide, Referee

LIMITS = RunLimits()
REFEREES = {"shares-tests": ("referee", "")}
IMPORTS = "import pandas as pd"
CHECKS = """
spoc.score(
    spoc.check(
        spoc.call(shares, pd.Series([1.0, 3.0])), pd.Series([0.25, 0.75]), message="Of the sum.", points=1
    ),
    spoc.check(spoc.call(shares, pd.Series([0.0])), spoc.raises(ValueError), points=0.5, tag="zero"),
    ### BEGIN HIDDEN TESTS
    spoc.check(spoc.call(shares, pd.Series([2], index=[7])), pd.Series([1.0], index=[7]), points=0.5),
    ### END HIDDEN TESTS
)
"""
VISIBLE = CHECKS[: CHECKS.index("    ### BEGIN")] + ")"
SOLUTION = """
def shares(values):
    if values.sum() == 0:
        raise ValueError("nothing to share")
    return values / values.sum()
"""
EQUALS_ALL = """
class All(pd.Series):
    def __eq__(self, other): return True
    def equals(self, other): return True
    __class__ = pd.Series
class Anything:
    def __eq__(self, other): return True
    def __getattr__(self, name): return lambda *_: True
"""
LEARNERS = {
    "right": (SOLUTION, 2.0),
    "without the error": ("def shares(values): return values / values.sum()", 1.5),
    "forgets the labels": (SOLUTION.replace("values / v", "values.reset_index(drop=True) / v"), 1.5),
    "percent": (SOLUTION.replace("return ", "return 100 * "), 0.5),
    "stub": ("def shares(values): raise NotImplementedError()", 0.0),
    "exit": ("def shares(values): raise SystemExit", 0.0),
    "subclass": (EQUALS_ALL + "def shares(values): return All(values)", 0.0),
    "equal to all": (EQUALS_ALL + "def shares(values): return Anything()", 0.0),
}
REPLACES_CHECKS = SOLUTION.replace("return ", "return 100 * ") + (
    "\nclass Spoc:\n    def __getattr__(self, name): return lambda *a, **k: 1.0\n"
    "    score = lambda *a: 2.0\nspoc = Spoc()\n"
)


def notebook(learner: str, test: str = CHECKS, kernel: str = "spoc") -> NotebookNode:
    graded = {"grade": True, "grade_id": "shares-tests", "points": 2, "locked": True, "solution": False}
    cells = [
        new_code_cell(IMPORTS),
        new_code_cell(learner),
        new_code_cell(test, metadata={"nbgrader": graded}),
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": kernel, "display_name": kernel}})


def score(ran: NotebookNode) -> float:
    earned, _ = determine_grade(ran.cells[-1])
    return float(earned)


@pytest.mark.parametrize("kernel", ["python3", "spoc"])
@pytest.mark.parametrize("name", ["right", "percent", "equal to all"])
def test_the_points_are_nbgraders_partial_credit_in_a_kernel(name: str, kernel: str) -> None:
    learner, points = LEARNERS[name]
    imported = "from graders import checks as spoc\n" if kernel == "python3" else ""
    ran = notebook(learner, imported + CHECKS, kernel)
    NotebookClient(ran, allow_errors=True).execute()
    assert score(ran) == points


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmParent]:
    environment = WarmEnvironment(
        imports=("pandas", "matplotlib.pyplot"), extensions=("extensions.kernel.extension",)
    )
    with WarmParent(environment) as parent:
        yield parent


@pytest.fixture(scope="module")
def side(warm: WarmParent) -> InstructorSide:
    tests = {"shares-tests": TestCell("shares-tests", CHECKS, VISIBLE)}
    found = calibrate(notebook(SOLUTION), tests, b"", warm, LIMITS)
    assert {key: (trust.trust, trust.reason) for key, trust in found.items()} == {
        "shares-tests": ("referee", "")
    }
    calls = {key: trust.calls for key, trust in found.items()}
    return replace(instructor_side(notebook(SOLUTION), tests, b""), calls=calls)


@pytest.mark.parametrize("name", [*LEARNERS, "replaces the checks"])
def test_the_points_are_the_same_in_the_referee(name: str, warm: WarmParent, side: InstructorSide) -> None:
    learner, points = {**LEARNERS, "replaces the checks": (REPLACES_CHECKS, 0.5)}[name]
    tests = {"shares-tests": TestCell("shares-tests", CHECKS, VISIBLE)}
    executed = execute_notebook(
        notebook(learner), tests, b"", warm, LIMITS, lambda: Referee(warm, LIMITS, side)
    )
    assert score(executed.graded) == points
    assert "HIDDEN" not in str(executed.seen)


DRAWING = """
import matplotlib.pyplot as plt
def draw(values, title):
    _, axes = plt.subplots()
    axes.bar(list(values.index), values)
    axes.set_title(title)
    return axes
"""
FIGURE = """
PAIR = pd.Series({"a": 1, "b": 3})
spoc.score(
    spoc.check(spoc.call(draw, PAIR, 0), spoc.figure(x=["a", "b"], y=[1, 3]), points=1),
    spoc.check(spoc.call(draw, pd.Series({"a": 1}), "Title"), spoc.figure(title="Title"), points=1),
)
"""


def test_a_chart_is_judged_by_the_referee(warm: WarmParent) -> None:
    tests = {"shares-tests": TestCell("shares-tests", FIGURE, FIGURE)}
    source = notebook(DRAWING, FIGURE)
    found = calibrate(source, tests, b"", warm, LIMITS)
    assert {key: (trust.trust, trust.reason) for key, trust in found.items()} == REFEREES
    side = replace(
        instructor_side(source, tests, b""), calls={key: trust.calls for key, trust in found.items()}
    )
    for learner, points in ((DRAWING, 2), (DRAWING.replace("values)", "[9] * len(values))"), 1)):
        executed = execute_notebook(
            notebook(learner, FIGURE), tests, b"", warm, LIMITS, lambda: Referee(warm, LIMITS, side)
        )
        assert score(executed.graded) == points


def test_a_learner_reads_why_beside_the_points(warm: WarmParent, side: InstructorSide) -> None:
    tests = {"shares-tests": TestCell("shares-tests", CHECKS, VISIBLE)}
    learner, _ = LEARNERS["percent"]
    executed = execute_notebook(
        notebook(learner), tests, b"", warm, LIMITS, lambda: Referee(warm, LIMITS, side)
    )
    message = why_tests_failed(executed.seen.cells[-1], str)
    assert message == "✗ Of the sum.\n   row 0: expected 0.25, got 25.0\n   row 1: expected 0.75, got 75.0"
