"""The author's solution decides where each test is judged; what only a busy machine says decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pytest
from nbformat import NotebookNode

from graders.execution.results import ExecutedNotebook, RunLimits, TestCell
from graders.execution.run import execute_notebook
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from graders.referee.calibration import GOES_ON, Trust, calibrate, calibrated, instructor_side
from graders.referee.trial import Referee
from tests.equality.cells import code, locked_tests, notebook

LIMITS = RunLimits()
Test = tuple[str, str]
"""Its visible part, its hidden one."""
ACCOUNT = "class Account:\n    b = 0\n    def d(self, n):\n        self.b += n\nacc = Account()"


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmParent]:
    with WarmParent(WarmEnvironment(imports=())) as parent:
        yield parent


@dataclass(frozen=True)
class Calibrated:
    trusts: dict[str, Trust]
    run: ExecutedNotebook
    """Of the solution, judged as was decided."""


def calibrated_run(warm: WarmParent, *cells: str | Test) -> Calibrated:
    """Calibrate by a notebook, then run it; its tests are `t` and their place from 0."""
    solved, tests = built(cells)
    trusts = calibrate(solved, tests, b"", warm, LIMITS)
    side = calibrated(instructor_side(solved, tests, b""), trusts)
    placed = {key: trusts[key].placed(test) for key, test in tests.items()}
    run = execute_notebook(solved, placed, b"", warm, LIMITS, partial(Referee, warm, LIMITS, side))
    return Calibrated(trusts, run)


def built(cells: Sequence[str | Test]) -> tuple[NotebookNode, dict[str, TestCell]]:
    tests: dict[str, TestCell] = {}
    made = []
    for cell in cells:
        if isinstance(cell, str):
            made.append(code(cell))
            continue
        name = f"t{len(tests)}"
        tests[name] = TestCell(name, "\n".join(filter(None, cell)), cell[0])
        made.append(locked_tests(name, cell[0], 4))
    return notebook(*made), tests


def printed(notebook: NotebookNode) -> list[str]:
    return [
        output.text for cell in notebook.cells for output in cell.outputs if output.output_type == "stream"
    ]


@pytest.mark.parametrize(
    ("given", "hidden", "later"),
    [
        (ACCOUNT, "acc.d(10)", "assert acc.b == 10"),
        ("L = [1]", "L.append(1)", "assert L == [1, 1]"),
        ("gen = iter((1, 2))", "assert next(gen) == 1", "assert next(gen) == 2"),
        (ACCOUNT, "acc.d(3)", "acc.b"),
        (ACCOUNT, "acc.d(10)", "get_ipython()\nassert acc.b == 10"),
    ],
)
def test_a_test_that_goes_on_from_a_hidden_part_runs_after_it_in_one_process(
    given: str, hidden: str, later: str, warm: WarmParent
) -> None:
    found = calibrated_run(warm, given, ("", hidden), (later, ""))
    assert found.run.status == "ok"
    assert found.run.tests["t1"].points == (3 if later == "acc.b" else None)
    assert found.trusts["t0"].trust == "referee"
    assert found.trusts["t1"].in_sequence
    assert found.run.tests["t1"].trust == "kernel"


WRITE = "with open('out.txt', 'w') as file:\n    print({}, file=file)"
READ = "with open('out.txt') as file:\n    assert file.read() == '{}\\n'"
IMPORTED = "from pathlib import Path\nassert Path('out.txt').read_text() == '{}\\n'"


@pytest.mark.parametrize("read", [READ, IMPORTED, "get_ipython()\n" + READ])
@pytest.mark.parametrize("later", [WRITE.format(2), "import pathlib\npathlib.Path('out.txt').unlink()"])
def test_a_test_finds_the_files_of_its_moment(read: str, later: str, warm: WarmParent) -> None:
    again = (WRITE.format(3), ("", read.format(3)))
    found = calibrated_run(warm, WRITE.format(1), ("", read.format(1)), later, *again)
    assert found.run.status == "ok"
    assert not any(trust.in_sequence for trust in found.trusts.values())
    assert not found.trusts["t0"].at_end


def test_a_learner_who_changes_a_file_later_keeps_the_points_of_a_test_at_the_end(warm: WarmParent) -> None:
    solved, tests = built((WRITE.format(1), ("", IMPORTED.format(1)), "x = 1", ("", "assert x == 1")))
    trusts = calibrate(solved, tests, b"", warm, LIMITS)
    assert all(trust.at_end for trust in trusts.values())
    solved.cells[2].source = f"x = 1\n{WRITE.format(2)}"
    side = calibrated(instructor_side(solved, tests, b""), trusts)
    placed = {key: trusts[key].placed(test) for key, test in tests.items()}
    run = execute_notebook(solved, placed, b"", warm, LIMITS, partial(Referee, warm, LIMITS, side))
    assert run.status == "ok"


@pytest.mark.parametrize("beside", ["", "get_ipython()\n"], ids=["apart", "beside"])
def test_a_file_that_a_hidden_part_has_written_is_met_by_later_tests(beside: str, warm: WarmParent) -> None:
    tests = (("", beside + WRITE.format(1)), (beside + READ.format(1), ""))
    found = calibrated_run(warm, "x = 1", *tests)
    assert found.run.status == "ok"
    assert found.trusts["t1"].in_sequence == bool(beside)


def test_what_runs_with_hidden_tests_in_one_process_is_shown_to_no_learner(warm: WarmParent) -> None:
    tell = "print('balance', acc.b)"
    found = calibrated_run(warm, ACCOUNT, ("", "acc.d(4321)"), tell, (f"{tell}\nassert acc.b == 4321", ""))
    assert found.run.status == "ok"
    assert printed(found.run.seen) == ["balance 0\n", "balance 0\n"]
    assert printed(found.run.graded) == ["balance 0\n", "balance 4321\n"]


def test_a_process_that_ends_costs_the_tests_that_run_after_it_in_one(warm: WarmParent) -> None:
    solved, tests = built((ACCOUNT, ("", "acc.d(10)"), "import os\nos._exit(3)", ("assert acc.b == 10", "")))
    placed = {"t0": tests["t0"], "t1": Trust("kernel", GOES_ON, in_sequence=True).placed(tests["t1"])}
    run = execute_notebook(
        solved,
        placed,
        b"",
        warm,
        LIMITS,
        partial(Referee, warm, LIMITS, instructor_side(solved, tests, b"")),
    )
    assert {key: result.status for key, result in run.tests.items()} == {"t0": "ok", "t1": "runtime-error"}
    assert run.graded.cells[3].outputs[0].ename == "NotRun"


def test_a_solution_that_fails_is_told_of(warm: WarmParent) -> None:
    found = calibrated_run(warm, "x = 1", ("assert x == 2", ""), ("assert x", ""), ("", "assert x > 1"))
    assert {key: trust.fails for key, trust in found.trusts.items()} == {"t0": True, "t1": False, "t2": True}
    assert all(trust.is_sure for trust in found.trusts.values())


@pytest.mark.parametrize(
    "cells",
    [
        ("x = 1", ("", "import time\ntime.sleep(60)")),
        ("import time\ntime.sleep(60)", ("", "assert True")),
        ("import os\nos.kill(os.getpid(), 9)", ("assert True", "")),
        ("x = 1", ("", "raise MemoryError")),
    ],
    ids=("late-test", "late-cell", "killed", "memory"),
)
def test_a_run_that_was_stopped_decides_nothing_for_good(
    cells: tuple[str | Test, ...], warm: WarmParent
) -> None:
    solved, tests = built(cells)
    trusts = calibrate(solved, tests, b"", warm, RunLimits(cell_seconds=0.5))
    assert not any(trust.is_sure for trust in trusts.values())
