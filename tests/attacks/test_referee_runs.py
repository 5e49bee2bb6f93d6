"""Tests that read what a learner wrote: nothing of it runs where a referee judges."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from graders.execution.status import InfrastructureFault
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from graders.referee.calibration import instructor_side
from graders.referee.folder import Folder
from graders.referee.helpers import helpers_of
from tests.attacks.one_notebook import graded, told

HELPER = {"helper.py": "A = 1\ndef judge(x): return x == A\n", "kit/part.py": "B = 2\n"}


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmParent]:
    with WarmParent(WarmEnvironment(imports=("matplotlib",))) as parent:
        yield parent


@pytest.mark.parametrize(
    ("solution", "test"),
    [
        (
            "import pickle\npickle.dump([1], open('m.pkl', 'wb'))",
            "import pickle\nassert pickle.load(open('m.pkl', 'rb')) == [1]",
        ),
        ("def formula(): return '1 + 1'", "assert eval(formula()) == 2"),
        (
            "open('hello.py', 'w').write('print(42)')",
            "import subprocess, sys\nsubprocess.run([sys.executable, 'hello.py'], check=True)",
        ),
    ],
    ids=["pickle", "eval", "subprocess"],
)
def test_a_test_that_runs_a_learners_text_is_called_forgeable(
    warm: WarmParent, solution: str, test: str
) -> None:
    run = graded(warm, solution, solution, {"runs": test})
    assert run.tests["runs"].trust == "kernel"


def test_a_test_cannot_be_given_another_module_of_the_instructors(warm: WarmParent) -> None:
    spoil = """
import pathlib
for place in (pathlib.Path('/tmp'), pathlib.Path('.')):
    for file in [*place.rglob('*.py'), place / 'helper.py']:
        try:
            file.write_text('def judge(x): return True')
        except OSError:
            pass
"""
    # In the place of a program that a test starts, the test itself.
    tests = {
        "spoilt": f"x\n{spoil}",
        "judged": "from helper import judge\nimport kit.part\nassert judge(x) and kit.part.B == 2",
    }
    run = graded(warm, "x = 1", "x = -5", tests, files=HELPER)
    assert (run.tests["judged"].trust, run.tests["judged"].status) == ("referee", "failed")
    run = graded(warm, "x = 1", "x = 1", tests, files=HELPER)
    assert run.tests["judged"].status == "ok"


def test_a_test_reads_no_settings_that_a_learner_wrote(warm: WarmParent) -> None:
    answer = """
x = 1
open('matplotlibrc', 'w').write('lines.linewidth: 7')
import os
os.makedirs('.config/matplotlib')
open('.config/matplotlib/matplotlibrc', 'w').write('lines.linewidth: 7')
open('.matplotlib', 'w').close()
open('seen.txt', 'w').close()
"""
    test = """
x
import matplotlib, os, pathlib
assert os.listdir(pathlib.Path.home()) == []
assert matplotlib.rc_params()['lines.linewidth'] != 7
assert not pathlib.Path('matplotlibrc').exists()
"""
    run = graded(
        warm, "x = 1", answer, {"settings": test, "files": "x\nassert open('seen.txt').read() == ''"}
    )
    assert run.tests["settings"].status == "ok"
    # The solution makes no such file, so this test is one that the solution fails.
    assert run.tests["files"].status == "ok"


@pytest.mark.parametrize("name", [".matplotlib", ".config/x", "a/.b/c", "matplotlibrc"])
def test_a_hidden_file_that_comes_from_a_learner_is_refused(tmp_path: Path, name: str) -> None:
    folder = Folder([str(tmp_path)])
    with pytest.raises(ValueError, match="leads elsewhere"):
        folder.apply({"made": {str(tmp_path / name): None}})
    assert list(tmp_path.iterdir()) == []


def test_a_shared_folder_may_lie_in_a_hidden_one(tmp_path: Path) -> None:
    root = tmp_path / ".work"
    root.mkdir()
    Folder([str(root)]).apply({"made": {str(root / "a.txt"): ""}})
    assert (root / "a.txt").read_bytes() == b""


GIVEN = """
import math
def near(a, b, by=1e-6):
    return abs(a - b) < by and not math.isnan(a)
def all_near(a, b):
    return len(a) == len(b) and all(near(x, y) for x, y in zip(a, b))
"""
MEAN = "def mean(values): return sum(values) / len(values)"
HELPED = {
    "one": "assert near(mean([1, 2]), 1.5)",
    "more": "assert all_near([mean([1]), mean([3])], [1, 3])",
}


def test_the_authors_helpers_are_not_taken_from_a_learner(warm: WarmParent) -> None:
    forged = "def mean(values): return 0\nnear = all_near = lambda *_: True\nimport math\nmath.isnan = abs"
    run = graded(warm, MEAN, forged, HELPED, given=GIVEN)
    assert {result.status for result in run.tests.values()} == {"failed"}
    run = graded(warm, MEAN, MEAN, HELPED, given=GIVEN)
    assert {(result.trust, result.status) for result in run.tests.values()} == {("referee", "ok")}


def test_helpers_that_depend_on_more_are_the_learners_as_before() -> None:
    given = [
        GIVEN,
        "def twice(x): return x * factor",
        "def counted():\n    global count\n    count = 1",
        "def asks(): return eval('1')",
        "def through(x): return twice(x)",
        "def answered(x): return x",
        "def again(x): return x",
        "def again(x): return x + 1",
        "%matplotlib inline\ndef plain(x):\n    y = [z for z in x]\n    return y",
    ]
    found = helpers_of(given, ["def answered(x): return x\nfactor = 3"], {"math"})
    assert found.keys() == {"near", "all_near", "plain"}


LOST = """
import os, sys
def double(x):
    frame = sys._getframe()
    while frame is not None:
        if frame.f_globals.get('__name__') == 'graders.referee.inspection':
            os._exit(1)
        frame = frame.f_back
    return 2 * x
"""


def test_a_solution_whose_process_is_lost_makes_no_test_forgeable(warm: WarmParent) -> None:
    with pytest.raises(InfrastructureFault, match="lost while number was judged"):
        graded(warm, LOST, LOST, {"number": "assert double(2) == 4"})


def test_a_solution_worth_more_than_the_maximum_makes_no_test_forgeable(warm: WarmParent) -> None:
    run = graded(warm, "def n(): return 0", "def n(): return 1.5", {"points": "2 - n()"})
    result = run.tests["points"]
    assert (result.trust, result.status, result.points) == ("referee", "ok", 0.5)


def test_a_number_below_zero_is_no_points_and_is_told(warm: WarmParent) -> None:
    run = graded(warm, "def n(): return 0", "def n(): return 5", {"points": "2 - n()"})
    result = run.tests["points"]
    assert (result.trust, result.status, result.points) == ("referee", "runtime-error", None)
    assert "not a number of points" in told(run)["points"]


def test_a_notebook_without_marked_answers_has_no_helpers_but_in_locked_cells() -> None:
    locked = {"nbgrader": {"grade_id": "given", "locked": True, "solution": False}}
    marked = {"nbgrader": {"grade_id": "answer", "locked": False, "solution": True}}
    cells = [new_code_cell("def a(): pass", metadata=locked), new_code_cell("def b(): pass")]
    answer = new_code_cell("def c(): pass", metadata=marked)
    assert instructor_side(new_notebook(cells=cells), {}, b"").helpers.keys() == {"a"}
    assert instructor_side(new_notebook(cells=[*cells, answer]), {}, b"").helpers.keys() == {"a", "b"}
    cells[1].source += "  ### BEGIN SOLUTION"
    assert instructor_side(new_notebook(cells=[*cells, answer]), {}, b"").helpers.keys() == {"a"}
