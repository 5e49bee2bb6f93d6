"""Forged scores: an attacker gets what the answer is worth, and correct code gets its points.

Each attack stands in a notebook whose answer is wrong. Tests are judged by the referee, as `--trust auto` does.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade

from graders.execution.results import RunLimits, TestCell, TestResult
from graders.execution.run import execute_notebook
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from graders.referee.calibration import Trust, calibrate, calibrated, instructor_side
from graders.referee.trial import InstructorSide, Referee

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
    "close": "np.testing.assert_allclose(double(2.5), 5)\nassert np.isclose(double(1.5), 3) and abs(double(3) - 6) < 1e-9",
    "array": "np.testing.assert_array_equal(double(np.arange(3)), [0, 2, 4])\nassert (double(np.arange(3)) == [0, 2, 4]).all()",
    "unittest": "import unittest\ncase = unittest.TestCase()\ncase.assertEqual(double(5), 10)\ncase.assertTrue(double(1) == 2)",
    "frame": (
        "frame = pd.DataFrame({'k': list('aab'), 'v': [1, 2, 3]})\n"
        "expected = pd.DataFrame({'k': ['a', 'b'], 'v': [3, 3]})\n"
        "pd.testing.assert_frame_equal(total(frame), expected)\nassert total(frame).equals(expected)"
    ),
    "members": "assert 'b' in names('ab') and len(names('aab')) == 2 and set(names('ba')) == {'a', 'b'}",
    "error": "try:\n    refuse(3)\nexcept ValueError as error:\n    assert str(error) == 'no'\nelse:\n    raise AssertionError('accepted')",
    "object": "account = Account(3)\naccount.deposit(4)\nassert account.balance == 7",
    "partial": "sum(double(n) == 2 * n for n in (1, 2, 3)) / 3 * 0.9",
    "random": "import random\nnumber = random.randint(10, 10**6)\nassert double(number) == 2 * number",
}
FULL = {**dict.fromkeys(TESTS, 1.0), "partial": 0.9}
NOTHING = dict.fromkeys(TESTS, 0.0)
EQUAL_TO_ALL = """
class Anything:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __contains__(self, other): return True
    def __sub__(self, other): return 0
    __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __sub__
    def __abs__(self): return 0
    def __bool__(self): return True
    def __hash__(self): return 0
    def __len__(self): return 2
    def __iter__(self): return iter(())
    def __getattr__(self, name): return Anything()
    def __call__(self, *args, **kwargs): return True
    def __array__(self, *args, **kwargs): import numpy; return numpy.array([0, 2, 4])
    def __array_ufunc__(self, *args, **kwargs): return True
    def __array_function__(self, *args, **kwargs): return True
    def __float__(self): return 0.0
    def __int__(self): return 0
    def __index__(self): return 0
def double(x): return Anything()
total = names = double
Account = lambda *args: Anything()
"""


def everything_is(base: str, made: str) -> str:
    return f"""
import numpy as np, pandas as pd
class Anything({base}):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __contains__(self, other): return True
    def __hash__(self): return 0
    def __sub__(self, other): return 0
    def equals(self, other): return True
    def all(self, *args, **kwargs): return True
def double(x): return {made}
total = names = double
"""


ATTACKS = {
    "objects equal to everything": EQUAL_TO_ALL,
    "an int equal to everything": everything_is("int", "Anything(1)"),
    "a float equal to everything": everything_is("float", "Anything(1)"),
    "a text equal to everything": everything_is("str", "Anything('x')"),
    "a list equal to everything": everything_is("list", "Anything()"),
    "an array equal to everything": everything_is("np.ndarray", "np.arange(9).view(Anything)"),
    "a table equal to everything": everything_is("pd.DataFrame", "Anything({'k': [1]})"),
    "a class that lies about its name and module": EQUAL_TO_ALL
    + "Anything.__module__ = 'pandas'\nAnything.__name__ = Anything.__qualname__ = 'DataFrame'\n",
    "a class that says that it is int": EQUAL_TO_ALL
    + "Anything.__module__ = 'builtins'\nAnything.__name__ = Anything.__qualname__ = 'int'\n"
    + "Anything.__class__ = property(lambda self: int)\n",
    "a metaclass equal to everything": """
class Meta(type):
    def __eq__(self, other): return True
    def __hash__(self): return hash(int)
    def __instancecheck__(self, value): return True
class Anything(metaclass=Meta):
    def __eq__(self, other): return True
double = total = names = lambda x: Anything()
""",
    "patched numpy.testing": "import numpy.testing, numpy\n"
    "for name in dir(numpy.testing):\n"
    "    if name.startswith('assert'): setattr(numpy.testing, name, lambda *a, **k: None)\n"
    "numpy.isclose = numpy.allclose = numpy.array_equal = numpy.all = lambda *a, **k: True\n",
    "patched pandas.testing": "import pandas, pandas.testing, pandas._testing\n"
    "pandas.testing.assert_frame_equal = pandas._testing.assert_frame_equal = lambda *a, **k: None\n"
    "pandas.DataFrame.equals = lambda *a: True\npandas.DataFrame.__eq__ = lambda *a: True\n",
    "patched unittest": "import unittest\nunittest.TestCase.assertEqual = unittest.TestCase.assertTrue = lambda *a, **k: None\n"
    "unittest.TestCase.fail = lambda *a, **k: None\n",
    "patched random": "import random\nrandom.randint = lambda *a: 0\n",
    "patched builtins": "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.sum = lambda *a: 3\nbuiltins.len = lambda x: 2\n"
    "builtins.AssertionError = type('Quiet', (BaseException,), {})\n",
    "names of Python's own": "abs = lambda x: 0\nlen = lambda x: 2\nsum = lambda values: 3\nset = lambda values: {'a', 'b'}\nstr = lambda x: 'no'\n"
    "AssertionError = ZeroDivisionError\n",
    "names that the tests import": "class Fake:\n    def __getattr__(self, name): return lambda *a, **k: True\n"
    "np = pd = unittest = random = Fake()\n",
    "names that the tests assign": "number = 0\nexpected = frame = case = None\n",
    "input transformers": "ip = get_ipython()\nip.input_transformers_cleanup.append(lambda lines: ['pass\\n'])\n"
    "ip.input_transformers_post.append(lambda lines: ['pass\\n'])\n",
    "AST transformers": "import ast\nclass Drop(ast.NodeTransformer):\n    def visit_Assert(self, node): return ast.Pass()\n"
    "get_ipython().ast_transformers.append(Drop())\n",
    "a replaced run_cell": "class Result:\n    success = True\n    error_in_exec = error_before_exec = result = None\n    execution_count = 1\n"
    "ip = get_ipython()\nasync def fake(*a, **k): return Result()\n"
    "ip.run_cell = lambda *a, **k: Result()\nip.run_cell_async = fake\n",
    "hooks": "def say(*a):\n    from IPython.display import publish_display_data\n    publish_display_data({'text/plain': 'nan'})\n"
    "for event in ('pre_run_cell', 'post_run_cell', 'pre_execute', 'post_execute'):\n    get_ipython().events.register(event, say)\n"
    "get_ipython().displayhook.__class__.__call__ = lambda self, value=None: say()\n",
    "a replaced excepthook and showtraceback": "import sys\nsys.excepthook = lambda *a: None\nip = get_ipython()\n"
    "ip.showtraceback = ip._showtraceback = ip.set_custom_exc = lambda *a, **k: None\n",
    "trace functions": "import sys\ndef trace(frame, event, arg):\n    frame.f_trace_lines = False\n    return None\nsys.settrace(trace)\n",
    "a patched inspection": "import sys, graders.referee.inspection as i, graders.referee.peer as p\n"
    "i.Inspection.perform = lambda self, operation, values: ['double', 'total', 'names'] if operation == 'begin' else Anything\n"
    "class Anything:\n    def __eq__(self, other): return True\n",
    "replies of its own": "import graders.forkserver.channel as c\nold = c.Channel.send\n"
    "c.Channel.send = lambda self, message, *b, **k: old(self, {'op': 'judged', 'status': 'ok', 'outputs': [], 'message': '', 'asked': []})\n",
    "a message of every descriptor": "import os\nfor number in range(3, 64):\n    try: os.write(number, b'\\0' * 64)\n    except OSError: pass\n",
    "a result that names an object of a library": "import unittest.mock, subprocess\ndouble = unittest.mock.MagicMock()\ntotal = names = unittest.mock.ANY\n"
    "double = lambda x: unittest.mock.ANY\n",
    "skipped tests": "import unittest\ndef double(x): raise unittest.SkipTest('later')\ntotal = names = refuse = double\n",
    "a program that exits": "def double(x): raise SystemExit(0)\ntotal = names = refuse = double\n",
    "a process that ends": "import os\ndef double(x): os._exit(0)\ntotal = names = refuse = Account = double\n",
    "an error that ends generators": "def double(x): raise StopIteration\ntotal = names = refuse = double\n",
    "an error of every class": "class Anything(ValueError, KeyError):\n    def __str__(self): return 'yes'\n    def __eq__(self, other): return True\n"
    "def refuse(x): raise Anything('no')\n",
    "a class of errors that lies": "class Fake(Exception): pass\nFake.__name__ = Fake.__qualname__ = 'ValueError'\nFake.__module__ = 'builtins'\n"
    "def refuse(x): raise Fake('no')\n",
    "a length that lies": "class Long(list):\n    def __len__(self): return 2\n    def __iter__(self): return iter('ab')\n"
    "    def __contains__(self, item): return True\nnames = lambda values: Long()\n",
    "an object that changes": "class Changing(list):\n    turns = 0\n    def __getitem__(self, at):\n        Changing.turns += 1\n        return Changing.turns\n"
    "    def __iter__(self): return iter([0, 2, 4])\n    def tolist(self): return [0, 2, 4]\ndouble = lambda x: Changing([1])\n",
    "a test's own input changed": "def total(frame):\n    for name in list(frame): del frame[name]\n    return frame\n"
    "def names(values): return values\ndef double(x):\n    try: x[:] = 0\n    except TypeError: pass\n    return x\n",
    "the frames of a test": "import sys, gc\ndef double(x):\n    for frame in [sys._getframe(n) for n in range(3)]:\n        frame.f_globals['number'] = 0\n"
    "        frame.f_globals['expected'] = None\n    for found in gc.get_objects():\n        if isinstance(found, dict) and 'expected' in found: found['expected'] = None\n"
    "    return None\n",
}


@dataclass(frozen=True)
class Assignment:
    warm: WarmParent
    tests: dict[str, TestCell]
    trust: dict[str, Trust]
    side: InstructorSide

    def graded(self, *cells: str, files: dict[str, str] | None = None) -> dict[str, TestResult]:
        """Return the result of each test of a notebook with these cells before its tests."""
        notebook = _notebook(cells)
        referee = RefereeFactory(self)
        executed = execute_notebook(notebook, self.tests, _tar(files or {}), self.warm, LIMITS, referee.open)
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


def _notebook(cells: tuple[str, ...]) -> object:
    tests = [
        new_code_cell(
            source,
            metadata={
                "nbgrader": {
                    "grade_id": key,
                    "grade": True,
                    "solution": False,
                    "locked": True,
                    "points": 1,
                    "schema_version": 3,
                }
            },
        )
        for key, source in TESTS.items()
    ]
    return new_notebook(cells=[*map(new_code_cell, cells), *tests])


def _tar(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


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


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_forgery_gets_what_its_answer_is_worth(assignment: Assignment, attack: str) -> None:
    assert assignment.scores(IMPORTS, WRONG, ATTACKS[attack]) == NOTHING


@pytest.mark.parametrize(
    "attack", ["patched numpy.testing", "names that the tests import", "names that the tests assign", "hooks"]
)
def test_correct_code_that_meddles_gets_its_points(assignment: Assignment, attack: str) -> None:
    assert assignment.scores(IMPORTS, SOLUTION, ATTACKS[attack]) == FULL


def test_a_package_in_the_submission_takes_no_librarys_place(assignment: Assignment) -> None:
    fake = "class testing:\n    def __getattr__(self, name): return lambda *a, **k: None\ntesting = testing()\nisclose = lambda *a: True\n"
    files = dict.fromkeys(
        ("numpy/__init__.py", "pandas.py", "unittest.py", "random.py", "pytest.py", "sitecustomize.py"), fake
    )
    assert assignment.scores(WRONG, "import sys; sys.path.insert(0, '.')", IMPORTS, files=files) == NOTHING


@pytest.mark.parametrize(
    "answer",
    [
        "float('nan')",
        "float('inf')",
        "-1",
        "1e300",
        "'nan'",
        "True",
        "[1]",
        "type('P', (), {'__repr__': lambda self: '1.0'})()",
    ],
)
def test_points_that_a_learner_says_are_no_points(assignment: Assignment, answer: str) -> None:
    learner = f"{WRONG}\nclass Points(float):\n    def __eq__(self, other): return {answer}\n    __radd__ = __add__ = lambda self, other: {answer}\ndef double(x): return {answer}\n"
    assert assignment.scores(IMPORTS, learner)["partial"] in (0.0, 0.3 if answer == "True" else 0.0)


@pytest.mark.parametrize(
    ("learner", "status"),
    [
        ("def double(x):\n    while True: pass\n", "time"),
        (
            "import signal\ndef double(x):\n    signal.setitimer(signal.ITIMER_REAL, 0)\n    while True: pass\n",
            "time",
        ),
        (
            "def double(x):\n    def forever():\n        while True: yield 0\n    return forever()\nnames = double\n",
            "failed",
        ),
        ("def double(x): return [0] * 10**7\n", "runtime-error"),
        ("def double(x): return 'x' * (200 << 20)\n", "runtime-error"),
        ("def double(x):\n    while True: print('x' * 10**6)\n", "runtime-error"),
        ("def double(x): return double(x)\n", "runtime-error"),
        (
            "def double(x):\n    nested = ()\n    for _ in range(10**5): nested = (nested,)\n    return nested\n",
            "failed",
        ),
    ],
)
def test_an_answer_without_end_costs_its_own_test_only(
    assignment: Assignment, learner: str, status: str
) -> None:
    results = assignment.graded(IMPORTS, SOLUTION, learner)
    assert results["number"].status == status
    assert {key: _score(results[key]) for key in ("frame", "error", "object")} == dict.fromkeys(
        ("frame", "error", "object"), 1.0
    )
