"""Tests that read what a learner wrote: nothing of it runs where a referee judges."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from tests.attacks.one_notebook import graded

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
