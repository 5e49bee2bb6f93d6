"""A process that ends leaves earlier tests what they gave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from graders.execution.results import Judgement, RunLimits, TestCell, TestResult
from graders.execution.run import execute_notebook
from graders.execution.status import KERNEL_DIED, NOT_RUN, InfrastructureFault
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from tests.integration.execution.notebooks import POINTS, Execute, grades, marked_cell, text


@pytest.mark.parametrize(
    ("end", "status"),
    [("os._exit(0)", "runtime-error"), ("os.kill(os.getpid(), 9)", "signal"), ("os.abort()", "signal")],
)
def test_a_process_that_dies_leaves_earlier_tests_what_they_gave(
    end: str, status: str, execute: Execute
) -> None:
    executed = execute("import os", ("", "assert os"), end, "2", ("", "assert os"))
    assert executed.status == status
    assert executed.seen.cells[3].outputs[0].ename == KERNEL_DIED
    assert executed.seen.cells[4].outputs[0].ename == NOT_RUN
    assert grades(executed) == [POINTS, 0]
    assert executed.tests["test-4"].status == status


def test_a_death_is_noticed_though_a_child_lives_on(execute: Execute) -> None:
    executed = execute("import os, time\nif not os.fork():\n    time.sleep(60)\nelse:\n    os._exit(1)")
    assert executed.seen.cells[1].outputs[0].ename == KERNEL_DIED
    assert executed.phases["cells"] < 10


def test_a_copy_that_a_cell_makes_and_forgets_disturbs_nothing(execute: Execute) -> None:
    executed = execute("import os\nchild = os.fork()\nprint(bool(child))", "2", ("", "assert child"))
    assert executed.seen.cells[2].outputs[-1].data["text/plain"] == "2"
    assert "True" in text(executed.seen.cells[1])
    assert grades(executed) == [POINTS]


def test_a_snapshot_that_dies_costs_only_its_own_test(execute: Execute) -> None:
    executed = execute("import os", ("", "os._exit(0)"), ("", "assert os"))
    assert executed.graded.cells[2].outputs[0].ename == KERNEL_DIED
    assert grades(executed) == [0, POINTS]
    assert executed.status == "failed"


@pytest.mark.parametrize("at", ["cells", "tests"])
def test_a_fork_server_that_ends_is_no_fault_of_the_learner(at: str) -> None:
    @contextmanager
    def referee() -> Iterator[Any]:
        doomed.close()
        yield judge

    class Judge:
        def judge(self, test: TestCell, _snapshot: int) -> Judgement:
            return Judgement(TestResult(test.grade_id, "signal", None, "referee"))

    judge = Judge()
    cell = "1" if at == "tests" else "import time\ntime.sleep(60)"
    notebook = new_notebook(cells=[new_code_cell(cell), marked_cell("t")])
    with WarmParent(WarmEnvironment(), roles={"cells": "graders.execution.cells"}) as doomed:
        if at == "cells":
            threading.Timer(0.5, doomed.close).start()
        with pytest.raises(InfrastructureFault):
            execute_notebook(notebook, {"t": TestCell("t", "1", "")}, b"", doomed, RunLimits(), referee)
