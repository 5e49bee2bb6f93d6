"""Forged scores: an attacker gets what the answer is worth, and correct code gets its points.

Each attack stands in a notebook whose answer is wrong; the referee judges, as with `--trust auto`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade

from graders.execution.results import RunLimits, TestCell, TestResult
from graders.execution.run import execute_notebook
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from graders.referee.calibration import Trust, calibrate, calibrated, instructor_side
from graders.referee.trial import InstructorSide, Referee
from tests.attacks.forgeries import FORGERIES
from tests.attacks.one_notebook import tar_of

LIMITS = RunLimits(cell_seconds=4, notebook_seconds=60)

IMPORTS = "import numpy as np\nimport pandas as pd"
SOLUTION = """
def double(x):
    return 2 * x

def total(frame):
    return frame.groupby("k", as_index=False)["v"].sum()

def names(values):
    return sorted(set(values))

def refuse(x):
    raise ValueError("no")

class Account:
    def __init__(self, balance):
        self.balance = balance
    def deposit(self, amount):
        self.balance += amount
"""
WRONG = """
def double(x):
    return 0

def total(frame):
    return None

def names(values):
    return None

def refuse(x):
    return None

class Account:
    def __init__(self, balance):
        self.balance = None
    def deposit(self, amount):
        pass
"""
TESTS = {
    "number": "assert double(4) == 8",
    "close": """\
np.testing.assert_allclose(double(2.5), 5)
assert np.isclose(double(1.5), 3) and abs(double(3) - 6) < 1e-9""",
    "array": """\
np.testing.assert_array_equal(double(np.arange(3)), [0, 2, 4])
assert (double(np.arange(3)) == [0, 2, 4]).all()""",
    "unittest": """\
import unittest
case = unittest.TestCase()
case.assertEqual(double(5), 10)
case.assertTrue(double(1) == 2)""",
    "frame": """\
frame = pd.DataFrame({'k': list('aab'), 'v': [1, 2, 3]})
expected = pd.DataFrame({'k': ['a', 'b'], 'v': [3, 3]})
pd.testing.assert_frame_equal(total(frame), expected)
assert total(frame).equals(expected)""",
    "members": "assert 'b' in names('ab') and len(names('aab')) == 2 and set(names('ba')) == {'a', 'b'}",
    "error": """\
try:
    refuse(3)
except ValueError as error:
    assert str(error) == 'no'
else:
    raise AssertionError('accepted')""",
    "object": """\
account = Account(3)
account.deposit(4)
assert account.balance == 7""",
    "partial": "sum(double(n) == 2 * n for n in (1, 2, 3)) / 3 * 0.9",
    "share": "double(1) / 4",
    "random": """\
import random
number = random.randint(10, 10**6)
assert double(number) == 2 * number""",
}
FULL = {**dict.fromkeys(TESTS, 1.0), "partial": 0.9, "share": 0.5}
WORTH = {
    "an int equal to everything": {"share": 0.25},
    "a float equal to everything": {"share": 0.25},
    "a test's own input changed": {"share": 0.25},
}
"""What some give as a number is 1."""
NOTHING = dict.fromkeys(TESTS, 0.0)


@dataclass(frozen=True)
class Assignment:
    warm: WarmParent
    tests: dict[str, TestCell]
    trust: dict[str, Trust]
    side: InstructorSide

    def graded(self, *cells: str, files: dict[str, str] | None = None) -> dict[str, TestResult]:
        """Return the result of each test of a notebook with these cells before its tests."""
        notebook = _notebook(cells, self.tests)
        referee = RefereeFactory(self)
        executed = execute_notebook(
            notebook, self.tests, tar_of(files or {}), self.warm, LIMITS, referee.open
        )
        for cell in executed.graded.cells[len(cells) :]:
            result = executed.tests[cell.metadata.nbgrader.grade_id]
            by_nbgrader, _ = determine_grade(cell)
            assert (by_nbgrader, result.trust) == (_score(result), "referee"), result
        return dict(executed.tests)

    def scores(self, *cells: str, files: dict[str, str] | None = None) -> dict[str, float]:
        return {key: _score(result) for key, result in self.graded(*cells, files=files).items()}


@dataclass(frozen=True)
class RefereeFactory:
    assignment: Assignment

    def open(self) -> Referee:
        return Referee(self.assignment.warm, LIMITS, self.assignment.side)


def _score(result: TestResult) -> float:
    if result.status != "ok":
        return 0.0
    return 1.0 if result.points is None else round(result.points, 6)


def _notebook(cells: tuple[str, ...], tests: Iterable[str] = tuple(TESTS)) -> NotebookNode:
    marks = {"grade": True, "solution": False, "locked": True, "points": 1, "schema_version": 3}
    graded = [new_code_cell(TESTS[key], metadata={"nbgrader": {"grade_id": key, **marks}}) for key in tests]
    return new_notebook(cells=[*map(new_code_cell, cells), *graded])


@pytest.fixture(scope="module")
def assignment() -> Iterator[Assignment]:
    tests = {key: TestCell(key, source, source) for key, source in TESTS.items()}
    with WarmParent(WarmEnvironment(imports=("numpy", "pandas", "unittest.mock"))) as warm:
        source = _notebook((IMPORTS, SOLUTION))
        trust = calibrate(source, tests, b"", warm, LIMITS)
        side = calibrated(instructor_side(source, tests, b""), trust)
        yield Assignment(warm, tests, trust, side)


def test_every_kind_of_test_here_is_the_referees(assignment: Assignment) -> None:
    assert {key: (found.trust, found.reason) for key, found in assignment.trust.items()} == dict.fromkeys(
        TESTS, ("referee", "")
    )


def test_correct_code_gets_its_points(assignment: Assignment) -> None:
    assert assignment.scores(IMPORTS, SOLUTION) == FULL


def test_wrong_code_gets_none(assignment: Assignment) -> None:
    assert assignment.scores(IMPORTS, WRONG) == NOTHING


@pytest.mark.parametrize("attack", FORGERIES)
def test_a_forgery_gets_what_its_answer_is_worth(assignment: Assignment, attack: str) -> None:
    assert assignment.scores(IMPORTS, WRONG, FORGERIES[attack]) == {**NOTHING, **WORTH.get(attack, {})}


@pytest.mark.parametrize(
    "attack", ["patched numpy.testing", "names that the tests import", "names that the tests assign", "hooks"]
)
def test_correct_code_that_meddles_gets_its_points(assignment: Assignment, attack: str) -> None:
    assert assignment.scores(IMPORTS, SOLUTION, FORGERIES[attack]) == FULL


def test_a_package_in_the_submission_takes_no_librarys_place(assignment: Assignment) -> None:
    fake = """\
class testing:
    def __getattr__(self, name): return lambda *a, **k: None
testing = testing()
isclose = lambda *a: True
"""
    files = dict.fromkeys(
        ("numpy/__init__.py", "pandas.py", "unittest.py", "random.py", "pytest.py", "sitecustomize.py"), fake
    )
    assert assignment.scores(WRONG, "import sys; sys.path.insert(0, '.')", IMPORTS, files=files) == NOTHING


@pytest.mark.parametrize(
    "answer",
    [
        *("float('nan')", "float('inf')", "-1", "'nan'", "[1]", "np.array([4])", "None"),
        "type('P', (), {'__repr__': lambda self: '1.0', '__truediv__': lambda self, other: self})()",
        "type('P', (float,), {'__repr__': lambda self: '1.0', '__truediv__': lambda self, other: self})(0)",
    ],
)
def test_what_is_no_number_of_points_is_none(assignment: Assignment, answer: str) -> None:
    scores = assignment.scores(IMPORTS, WRONG, f"def double(x): return {answer}")
    assert (scores["share"], scores["partial"]) == (0.0, 0.0)


ENDLESS = {
    "a loop": ("while True: pass", "time"),
    "a loop without alarms": (
        "import signal; signal.setitimer(signal.ITIMER_REAL, 0)\n    while True: pass",
        "time",
    ),
    "a generator": ("import itertools; return itertools.count()", "failed"),
    "a huge list": ("return [0] * 10**7", "runtime-error"),
    "a huge text": ("return 'x' * (200 << 20)", "runtime-error"),
    "a flood of text": ("while True: print('x' * 10**6)", "runtime-error"),
    "a recursion": ("return double(x)", "runtime-error"),
    "a deep tuple": (
        "nested = ()\n    for _ in range(10**5): nested = (nested,)\n    return nested",
        "failed",
    ),
}


@pytest.mark.parametrize("answer", ENDLESS)
def test_an_answer_without_end_costs_its_own_test_only(assignment: Assignment, answer: str) -> None:
    body, status = ENDLESS[answer]
    # Of the tests, one calls it, and others come after.
    learner = f"def endless(x):\n    {body}\ndouble = endless"
    few = replace(assignment, tests={key: assignment.tests[key] for key in ("number", "frame", "object")})
    results = few.graded(IMPORTS, SOLUTION, learner)
    assert results["number"].status == status
    assert (_score(results["frame"]), _score(results["object"])) == (1.0, 1.0)
