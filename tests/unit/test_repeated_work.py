"""What IPython asks itself again gets the answer that it would find."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.quick

CELLS = [
    "1 + 1",
    "%time 1\nx = '''a\nb'''",
    "!ls",
    "await f()",
    "for x in y:\n    pass\n",
    "x = = 1",
    "f'{x!r}'",
]
SHOWN = """
from IPython.core import inputtransformer2
from graders.execution.repeated_work import spare_repeated_work

def found():
    return [
        (
            inputtransformer2.TransformerManager().transform_cell(cell),
            inputtransformer2.make_tokens_by_line(cell.splitlines(keepends=True)),
        )
        for cell in {cells!r}
        for _ in range(2)
    ]

at_first = found()
spare_repeated_work()
assert found() == at_first
for _ in range(2):
    tokens = inputtransformer2.make_tokens_by_line(["x\\n"])
    assert tokens
    tokens.clear()
"""


def test_answers_are_the_same() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SHOWN.format(cells=CELLS)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
