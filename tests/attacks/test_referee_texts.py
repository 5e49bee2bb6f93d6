"""What a test's own process says: no learner reads it, and no text of it stops the grading."""

from __future__ import annotations

from collections.abc import Iterator

import nbformat
import pytest

from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from tests.attacks.one_notebook import graded, told

GENERAL = "The checks you can see pass, further checks do not. Think of cases the examples do not show."
VISIBLE = "r = f(1)\nassert r == 2, f'expected 2, got {r}'"
SOLUTION = "def f(x):\n    return 2 * x"
SPY = """
def f(x):
    try:
        seen = open('/tmp/seen').read()
    except OSError:
        seen = ''
    if x == 1 and seen:
        return 'LEAK ' + seen
    if x != 1:
        open('/tmp/seen', 'a').write(repr(x))
    return 2 * x
"""


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmParent]:
    with WarmParent(WarmEnvironment(imports=())) as parent:
        yield parent


def test_a_hidden_input_that_a_file_carries_to_a_visible_check_reaches_no_learner(warm: WarmParent) -> None:
    hidden = "assert f('hidden-word') == 'hidden-wordhidden-word'"
    run = graded(warm, SOLUTION, SPY, {"hidden": hidden, "visible": (VISIBLE, VISIBLE)})
    assert run.tests["visible"].status == "failed"
    assert told(run) == {"visible": GENERAL}
    assert "hidden-word" not in nbformat.writes(run.seen)


def test_a_visible_check_is_told_from_the_learners_own_run(warm: WarmParent) -> None:
    run = graded(warm, SOLUTION, "def f(x):\n    return 3 * x", {"visible": (VISIBLE, VISIBLE)})
    assert told(run) == {"visible": "expected 2, got 3"}


def test_the_message_of_a_hidden_check_is_not_told(warm: WarmParent) -> None:
    hidden = f"{VISIBLE}\nassert f(5) == 10, 'five'"
    run = graded(warm, SOLUTION, "def f(x):\n    return x + 1", {"partly": (hidden, VISIBLE)})
    assert told(run) == {"partly": GENERAL}
    assert "five" in str(run.graded.cells[-1].outputs)


@pytest.mark.parametrize(
    "answer",
    [
        "return '\\ud800'",
        "print('\\ud800')\n    return 2 * x",
        "raise ValueError('\\udfff')",
        "raise type('\\ud800', (Exception,), {})('x')",
    ],
)
def test_a_text_that_no_file_can_hold_is_written_all_the_same(warm: WarmParent, answer: str) -> None:
    tests: dict[str, str | tuple[str, str]] = {
        "shown": (f"print(f(2))\n{VISIBLE}", f"print(f(2))\n{VISIBLE}"),
        "hidden": f"x = f(3)\nprint(x)\nx\n{VISIBLE}",
    }
    run = graded(warm, SOLUTION, f"def f(x):\n    {answer}", tests)
    passes = answer.startswith("print")
    assert {result.status == "ok" for result in run.tests.values()} == {passes}
    for notebook in (run.graded, run.seen):
        assert nbformat.v4.writes(notebook).encode()
    for text in told(run).values():
        assert text.encode()
