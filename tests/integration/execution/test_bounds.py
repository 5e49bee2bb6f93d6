"""Memory, output and messages of a run are bounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from graders.execution.status import KERNEL_DIED
from graders.forkserver.limits import ProcessLimits
from tests.integration.execution.notebooks import Execute, grades, text


def test_memory_is_bounded(execute: Execute) -> None:
    executed = execute("x = 'x' * 10**10", ("", "'x' * 10**10"), process=ProcessLimits(memory_bytes=10**9))
    assert executed.seen.cells[1].outputs[0].ename == "MemoryError"
    assert executed.tests["test-1"].status == "memory"


@pytest.mark.parametrize(
    "flood",
    [
        "print('x' * 10**7)",
        "for _ in range(10**5): print('x' * 100)",
        "import os\nfor _ in range(1000): os.write(1, b'x' * 10_000)",
        "import subprocess\nsubprocess.run('head -c 10000000 /dev/zero | tr \"\\\\0\" x', shell=True)",
        "from IPython.display import display\nfor _ in range(1000): display(1)",
        "from IPython.display import display, HTML\ndisplay(HTML('x' * 10**7))",
    ],
)
def test_output_is_cut_and_what_follows_runs(flood: str, execute: Execute) -> None:
    executed = execute(f"{flood}\n1/0", ("assert False", ""), "2", cell_output_bytes=100_000)
    flooded = executed.seen.cells[1]
    assert len(str(flooded.outputs)) < 200_000
    assert "truncated" in text(flooded)
    assert flooded.outputs[-1].ename == "ZeroDivisionError"
    assert executed.seen.cells[3].outputs[0].data["text/plain"] == "2"


def test_a_test_in_which_learner_code_prints_too_much_still_gives_its_points(execute: Execute) -> None:
    executed = execute(
        "def f(): print('x' * 10**6)", ("", "f()\n1.5"), ("", "f()\nassert False"), cell_output_bytes=10_000
    )
    assert grades(executed) == [1.5, 0]


@pytest.mark.parametrize(
    "message",
    [
        {"op": "output", "kind": "stream", "content": {"name": "stdin", "text": "a"}},
        {"op": "output", "kind": "error", "content": {"ename": 1}},
        {"op": "output", "kind": "display_data", "content": {"data": {"text/plain": 1}}},
        {"op": "output", "kind": "display_data", "content": {"data": {"no kind": "1"}, "metadata": {}}},
        {"op": "done", "status": "ok", "execution_count": "<b>"},
        {"no": "op"},
    ],
)
def test_a_forged_message_ends_the_run(message: Mapping[str, Any], execute: Execute) -> None:
    executed = execute(f"{GRAB}channel.send({message!r})\nimport time; time.sleep(60)", ("assert 1", ""))
    assert executed.seen.cells[1].outputs[0].ename == KERNEL_DIED
    assert grades(executed) == [0]


def test_a_flood_of_messages_ends_the_run(execute: Execute) -> None:
    text = {"op": "output", "kind": "stream", "content": {"name": "stdout", "text": "x" * 1000}}
    executed = execute(f"{GRAB}while True: channel.send({text!r})", cell_output_bytes=100_000)
    assert executed.status == "output"
    assert len(str(executed.seen)) < 400_000


GRAB = "channel = get_ipython().kernel.session.outlet._channel\n"
"""Learner code that speaks for its process."""
