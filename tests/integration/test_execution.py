"""A notebook is run for a bounded time with bounded output, and its tests keep what they gave."""

from __future__ import annotations

import io
import re
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.utils import determine_grade

from graders.execution.results import ExecutedNotebook, Judgement, RunLimits, TestCell, TestResult
from graders.execution.run import execute_notebook
from graders.execution.status import KERNEL_DIED, NO_RESULT, NOT_RUN, OUT_OF_TIME, InfrastructureFault
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.limits import ProcessLimits
from graders.forkserver.parent import WarmParent

POINTS = 4
Execute = Callable[..., ExecutedNotebook]


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmParent]:
    with WarmParent(WarmEnvironment(), roles={"cells": "graders.execution.cells"}) as parent:
        yield parent


@pytest.fixture
def execute(warm: WarmParent) -> Execute:
    """Run cells: sources, and for tests a pair of what is hidden and what is not."""

    def run(*cells: str | tuple[str, str], files: bytes = b"", referee: Any = None, **limits: Any) -> Any:
        tests = {}
        notebook = new_notebook(cells=[new_markdown_cell("# Title")])
        for place, cell in enumerate(cells):
            if isinstance(cell, str):
                notebook.cells.append(new_code_cell(cell))
                continue
            name = f"test-{place}"
            visible, _ = cell
            tests[name] = TestCell(name, "\n".join(filter(None, cell)), visible)
            notebook.cells.append(_test_cell(name))
        return execute_notebook(notebook, tests, files, warm, RunLimits(**limits), referee)

    return run


def test_a_test_that_passes_gives_full_points(execute: Execute) -> None:
    executed = execute("x = 2", ("assert x == 2", "assert x > 1"))
    assert executed.status == "ok"
    assert executed.tests["test-1"] == TestResult("test-1", "ok", None, "kernel")
    assert _grades(executed) == [POINTS]


def test_a_hidden_test_fails_and_its_learner_sees_nothing_of_it(execute: Execute) -> None:
    executed = execute("x = 2", ("assert x == 2\nprint('visible')", "assert x == 'a secret'"))
    assert executed.tests["test-1"].status == "failed"
    assert _grades(executed) == [0]
    assert executed.status == "failed"
    seen = executed.seen.cells[-1]
    assert seen.source == "assert x == 2\nprint('visible')"
    assert [output.text for output in seen.outputs] == ["visible\n"]
    assert "secret" not in str(executed.seen)
    assert "secret" in executed.graded.cells[-1].source


def test_learner_code_that_spies_on_a_hidden_test_has_nothing_to_show_for_it(execute: Execute) -> None:
    spy = (
        "class Spy:\n"
        "    def __eq__(self, other):\n"
        "        import inspect\n"
        "        source = inspect.getsource(inspect.currentframe().f_back)\n"
        "        print(source)\n"
        "        open('found.txt', 'a').write(source)\n"
        "        return True\n"
        "x = Spy()"
    )
    show = "import os\nprint(open('found.txt').read() if os.path.exists('found.txt') else 'nothing')"
    executed = execute(spy, ("assert x == 2", "assert x == 'a secret'"), show)
    assert "secret" not in str(executed.seen)
    assert "assert x == 2" in _text(executed.seen.cells[-1])


def test_what_a_hidden_test_changes_is_not_there_for_later_cells(execute: Execute) -> None:
    executed = execute("found = [1]", ("found.append(2)", "found.append(3)"), "found")
    assert executed.seen.cells[-1].outputs[0].data["text/plain"] == "[1, 2]"


def test_a_test_meets_what_was_there_at_its_place(execute: Execute) -> None:
    executed = execute("x = 1", ("", "assert x == 1"), "x = 2", ("", "assert x == 2"))
    assert _grades(executed) == [POINTS, POINTS]


@pytest.mark.parametrize(
    ("hidden", "points"),
    [("1.5", 1.5), ("0", 0), ("'good'", POINTS), ("None", POINTS), ("print(1)", POINTS), ("-1", POINTS)],
)
def test_the_last_value_is_partial_credit_as_nbgrader_reads_it(
    hidden: str, points: float, execute: Execute
) -> None:
    assert _grades(execute(("", hidden))) == [points]


def test_credit_above_the_maximum_is_the_maximum(execute: Execute) -> None:
    executed = execute(("", "7.5"))
    assert _grades(executed) == [POINTS]
    assert executed.tests["test-0"].points == POINTS
    assert "7.5" in executed.tests["test-0"].message


@pytest.mark.parametrize(
    "hidden", ["float('nan')", "float('inf')", "class N:\n    def __repr__(self):\n        return ''\nN()"]
)
def test_a_result_that_is_no_credit_gives_none(hidden: str, execute: Execute) -> None:
    executed = execute(("", hidden))
    assert executed.graded.cells[-1].outputs[0].ename == NO_RESULT
    assert _grades(executed) == [0]


def test_a_test_without_hidden_parts_is_run_once(execute: Execute) -> None:
    executed = execute("x = []", ("x.append(1); assert len(x) == 1", ""))
    assert _grades(executed) == [POINTS]
    assert executed.tests["test-1"].trust == "kernel"


def test_random_numbers_go_on_in_a_test_as_in_the_notebook(execute: Execute) -> None:
    executed = execute(
        "import random\nrandom.seed(3)", ("", "assert random.random() == random.Random(3).random()")
    )
    assert _grades(executed) == [POINTS]


def test_two_processes_draw_different_random_numbers(execute: Execute) -> None:
    drawn = {_text(execute("import random\nprint(random.random())").seen.cells[-1]) for _ in range(2)}
    assert len(drawn) == 2


def test_a_hidden_test_may_await_and_use_bash_though_threads_are_gone(execute: Execute) -> None:
    started = "%%bash\ntrue"
    executed = execute(
        started, ("", "import asyncio\nawait asyncio.sleep(0)"), ("", "!true\nassert not _exit_code")
    )
    again = execute(started, ("", "%%bash\necho 1"))
    assert _grades(executed) == [POINTS, POINTS]
    assert _grades(again) == [POINTS]


def test_a_task_that_a_cell_left_can_be_awaited_by_a_hidden_test(execute: Execute) -> None:
    executed = execute(
        "import asyncio\ntask = asyncio.create_task(asyncio.sleep(0.01, 5))", ("", "assert await task == 5")
    )
    assert _grades(executed) == [POINTS]


def test_files_beside_the_notebook_are_there(execute: Execute) -> None:
    executed = execute("open('data/a.csv').read()", files=_tar({"data/a.csv": b"1,2"}))
    assert executed.seen.cells[-1].outputs[0].data["text/plain"] == "'1,2'"


def test_files_that_cannot_be_unpacked_are_no_fault_of_the_learner(execute: Execute) -> None:
    with pytest.raises(InfrastructureFault):
        execute("1", files=b"no tar")


def test_a_cell_that_takes_too_long_is_interrupted_and_the_next_one_runs(execute: Execute) -> None:
    executed = execute("print('started')\nwhile True: pass", "1 + 1", ("", "assert 1"), cell_seconds=0.5)
    first, second, _ = executed.seen.cells[1:]
    assert _text(first) == "started\n"
    assert [output.ename for output in first.outputs[1:]] == ["KeyboardInterrupt", OUT_OF_TIME]
    assert "graders" not in str(first.outputs)
    assert second.outputs[0].data["text/plain"] == "2"
    assert _grades(executed) == [POINTS]


def test_a_cell_that_awaits_too_long_is_interrupted(execute: Execute) -> None:
    executed = execute("import asyncio\nawait asyncio.sleep(60)", "2", cell_seconds=0.5)
    assert executed.seen.cells[1].outputs[-1].ename == OUT_OF_TIME
    assert executed.seen.cells[2].outputs[0].data["text/plain"] == "2"


def test_a_cell_that_prints_without_end_is_interrupted(execute: Execute) -> None:
    executed = execute("while True: print('x' * 1000)", "2", cell_seconds=0.5)
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
    executed = execute("x = 1", ("", "assert x == 1"), stubborn, "2", ("", "assert x"), cell_seconds=0.5)
    assert executed.status == "time"
    assert executed.seen.cells[3].outputs[0].ename == OUT_OF_TIME
    assert executed.seen.cells[4].outputs[0].ename == NOT_RUN
    assert _grades(executed) == [POINTS, 0]
    assert [result.status for result in executed.tests.values()] == ["ok", "time"]


def test_a_notebook_that_takes_too_long_stops(execute: Execute) -> None:
    executed = execute("import time\ntime.sleep(60)", "2", ("assert 1", ""), notebook_seconds=0.5)
    assert executed.status == "time"
    assert executed.seen.cells[2].outputs[0].ename == NOT_RUN
    assert executed.tests["test-2"].status == "time"
    assert _grades(executed) == [0]


def test_a_process_that_computes_too_long_ran_out_of_time(execute: Execute) -> None:
    executed = execute("while True: pass", ("", "assert 1"), process=ProcessLimits(cpu_seconds=1))
    assert executed.status == executed.tests["test-1"].status == "time"


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
    assert _grades(executed) == [POINTS, 0]
    assert executed.tests["test-4"].status == status


def test_a_death_is_noticed_though_a_child_lives_on(execute: Execute) -> None:
    executed = execute("import os, time\nif not os.fork():\n    time.sleep(60)\nelse:\n    os._exit(1)")
    assert executed.seen.cells[1].outputs[0].ename == KERNEL_DIED
    assert executed.phases["cells"] < 10


def test_a_copy_that_a_cell_makes_and_forgets_disturbs_nothing(execute: Execute) -> None:
    executed = execute("import os\nchild = os.fork()\nprint(bool(child))", "2", ("", "assert child"))
    assert executed.seen.cells[2].outputs[-1].data["text/plain"] == "2"
    assert "True" in _text(executed.seen.cells[1])
    assert _grades(executed) == [POINTS]


def test_the_course_is_offered_where_its_extension_is_loaded() -> None:
    environment = WarmEnvironment(extensions=("extensions.kernel.extension",))
    notebook = new_notebook(
        cells=[new_code_cell("spoc"), new_code_cell("spoc.quiz('q')"), new_code_cell("%who")]
    )
    with WarmParent(environment, roles={"cells": "graders.execution.cells"}) as parent:
        executed = execute_notebook(notebook, {}, b"", parent, RunLimits(), None)
    offer, quiz, names = executed.seen.cells
    assert "spoc.submit()" in offer.outputs[0].data["text/plain"]
    assert "Quiz" in quiz.outputs[0].data["text/plain"]
    assert _text(names) == "Interactive namespace is empty.\n"


def test_a_snapshot_that_dies_costs_only_its_own_test(execute: Execute) -> None:
    executed = execute("import os", ("", "os._exit(0)"), ("", "assert os"))
    assert executed.graded.cells[2].outputs[0].ename == KERNEL_DIED
    assert _grades(executed) == [0, POINTS]
    assert executed.status == "failed"


def test_a_test_that_takes_too_long_costs_only_its_own_points(execute: Execute) -> None:
    executed = execute(("", "while True: pass"), ("", "assert 1"), cell_seconds=0.5)
    assert executed.tests["test-0"].status == "time"
    assert _grades(executed) == [0, POINTS]


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
    assert "truncated" in _text(flooded)
    assert flooded.outputs[-1].ename == "ZeroDivisionError"
    assert executed.seen.cells[3].outputs[0].data["text/plain"] == "2"


def test_a_test_in_which_learner_code_prints_too_much_still_gives_its_points(execute: Execute) -> None:
    executed = execute(
        "def f(): print('x' * 10**6)", ("", "f()\n1.5"), ("", "f()\nassert False"), cell_output_bytes=10_000
    )
    assert _grades(executed) == [1.5, 0]


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
    executed = execute(f"{_GRAB}channel.send({message!r})\nimport time; time.sleep(60)", ("assert 1", ""))
    assert executed.seen.cells[1].outputs[0].ename == KERNEL_DIED
    assert _grades(executed) == [0]


def test_a_flood_of_messages_ends_the_run(execute: Execute) -> None:
    text = {"op": "output", "kind": "stream", "content": {"name": "stdout", "text": "x" * 1000}}
    executed = execute(f"{_GRAB}while True: channel.send({text!r})", cell_output_bytes=100_000)
    assert executed.status == "output"
    assert len(str(executed.seen)) < 400_000


def test_text_that_no_file_can_hold_is_replaced(execute: Execute) -> None:
    executed = execute("print('\\ud800')")
    str(executed.seen).encode()
    assert "\ufffd" in _text(executed.seen.cells[1])


def test_referees_judge_in_the_snapshot_of_each_test(execute: Execute) -> None:
    judged = []

    class Trial:
        def judge(self, test: TestCell, snapshot: int) -> Judgement:
            assert snapshot >= 0
            judged.append(test.full)
            return Judgement(TestResult(test.grade_id, "ok", None, "referee"))

    @contextmanager
    def referee() -> Iterator[Trial]:
        yield Trial()

    executed = execute("x = 1", ("assert x", "assert x == 1"), ("assert x", ""), referee=referee)
    assert judged == ["assert x\nassert x == 1", "assert x"]
    assert {result.trust for result in executed.tests.values()} == {"referee"}


def test_nobody_judges_a_test_that_was_never_reached(execute: Execute) -> None:
    @contextmanager
    def referee() -> Iterator[Any]:
        raise AssertionError("there is nothing to judge")
        yield

    executed = execute("import os\nos._exit(1)", ("assert 1", ""), referee=referee)
    assert executed.tests["test-1"].status == "runtime-error"
    assert _grades(executed) == [0]


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
    notebook = new_notebook(cells=[new_code_cell(cell), _test_cell("t")])
    with WarmParent(WarmEnvironment(), roles={"cells": "graders.execution.cells"}) as doomed:
        if at == "cells":
            threading.Timer(0.5, doomed.close).start()
        with pytest.raises(InfrastructureFault):
            execute_notebook(notebook, {"t": TestCell("t", "1", "")}, b"", doomed, RunLimits(), referee)


def test_leaving_a_kernel_in_the_middle_does_not_end_the_notebook(execute: Execute) -> None:
    executed = execute("exit()", "quit", "2")
    assert executed.seen.cells[3].outputs[0].data["text/plain"] == "2"


def test_the_notebook_that_was_given_stays_as_it_is(warm: WarmParent) -> None:
    notebook = new_notebook(cells=[new_code_cell("print(1)"), _test_cell("t")])
    before = str(notebook)
    execute_notebook(notebook, {"t": TestCell("t", "2", "")}, b"", warm, RunLimits(), None)
    assert str(notebook) == before


def test_graded_and_seen_share_nothing_that_can_be_changed(execute: Execute) -> None:
    executed = execute("print(1)")
    executed.graded.cells[1].outputs[0].text = "changed"
    assert _text(executed.seen.cells[1]) == "1\n"


_GRAB = "channel = get_ipython().kernel.session.outlet._channel\n"
"""Learner code that speaks for its process."""


def _test_cell(name: str) -> NotebookNode:
    cell = new_code_cell("assert True  # whatever was submitted")
    cell.metadata.nbgrader = {
        "grade_id": name,
        "grade": True,
        "solution": False,
        "locked": True,
        "points": POINTS,
        "schema_version": 3,
        "task": False,
    }
    return cell


def _grades(executed: ExecutedNotebook) -> list[float | None]:
    """Return the points that nbgrader finds in the graded notebook."""
    return [determine_grade(cell)[0] for cell in executed.graded.cells if "nbgrader" in cell.metadata]


def _text(cell: NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def _tar(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return content.getvalue()
