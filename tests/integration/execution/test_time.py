"""Whatever takes too long is stopped, and costs only what did not run."""

from __future__ import annotations

import re

import pytest

from graders.execution.status import NOT_RUN, OUT_OF_TIME
from graders.forkserver.limits import ProcessLimits
from tests.integration.execution.notebooks import POINTS, Execute, grades, text


def test_a_cell_that_takes_too_long_is_interrupted_and_the_next_one_runs(execute: Execute) -> None:
    executed = execute("print('started')\nwhile True: pass", "1 + 1", ("", "assert 1"), cell_seconds=1)
    first, second, _ = executed.seen.cells[1:]
    assert text(first) == "started\n"
    assert [output.ename for output in first.outputs[1:]] == ["KeyboardInterrupt", OUT_OF_TIME]
    assert "graders" not in str(first.outputs)
    assert second.outputs[0].data["text/plain"] == "2"
    assert grades(executed) == [POINTS]


def test_a_cell_that_awaits_too_long_is_interrupted(execute: Execute) -> None:
    executed = execute("import asyncio\nawait asyncio.sleep(60)", "2", cell_seconds=1)
    assert executed.seen.cells[1].outputs[-1].ename == OUT_OF_TIME
    assert executed.seen.cells[2].outputs[0].data["text/plain"] == "2"


def test_a_cell_that_prints_without_end_is_interrupted(execute: Execute) -> None:
    executed = execute("while True: print('x' * 1000)", "2", cell_seconds=1)
    assert executed.seen.cells[1].outputs[-1].ename == OUT_OF_TIME
    assert executed.seen.cells[2].outputs[0].data["text/plain"] == "2"


def test_the_traceback_of_an_interrupt_that_comes_while_text_is_taken_ends_in_the_cell(
    execute: Execute,
) -> None:
    late = "class Late(str):\n    def __len__(self): raise KeyboardInterrupt"
    executed = execute(f"import sys\n{late}\nsys.stdout.write(Late('x'))")
    interrupt = executed.seen.cells[1].outputs[-1]
    assert interrupt.ename == "KeyboardInterrupt"
    shown = re.sub(r"\x1b\[[\d;]*m", "", "".join(interrupt.traceback))
    assert "sys.stdout.write(Late('x'))" in shown
    assert "streams.py" not in shown


def test_a_cell_that_cannot_be_interrupted_is_the_last_one(
    execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graders.execution.conversation.INTERRUPT_SECONDS", 0.5)
    stubborn = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    executed = execute("x = 1", ("", "assert x == 1"), stubborn, "2", ("", "assert x"), cell_seconds=1)
    assert executed.status == "time"
    assert executed.seen.cells[3].outputs[0].ename == OUT_OF_TIME
    assert executed.seen.cells[4].outputs[0].ename == NOT_RUN
    assert grades(executed) == [POINTS, 0]
    assert [result.status for result in executed.tests.values()] == ["ok", "time"]


def test_a_notebook_that_takes_too_long_stops(execute: Execute) -> None:
    executed = execute("import time\ntime.sleep(60)", "2", ("assert 1", ""), notebook_seconds=0.5)
    assert executed.status == "time"
    assert executed.seen.cells[2].outputs[0].ename == NOT_RUN
    assert executed.tests["test-2"].status == "time"
    assert grades(executed) == [0]


def test_a_process_that_computes_too_long_ran_out_of_time(execute: Execute) -> None:
    executed = execute("while True: pass", ("", "assert 1"), process=ProcessLimits(cpu_seconds=1))
    assert executed.status == executed.tests["test-1"].status == "time"


def test_a_test_that_takes_too_long_costs_only_its_own_points(execute: Execute) -> None:
    executed = execute(("", "while True: pass"), ("", "assert 1"), cell_seconds=1)
    assert executed.tests["test-0"].status == "time"
    assert grades(executed) == [0, POINTS]
