"""A test gives the points that nbgrader would, and shows nothing of what is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from graders.execution.results import Judgement, TestCell, TestResult
from graders.execution.status import NO_RESULT
from tests.integration.execution.notebooks import POINTS, Execute, grades, text


def test_a_test_that_passes_gives_full_points(execute: Execute) -> None:
    executed = execute("x = 2", ("assert x == 2", "assert x > 1"))
    assert executed.status == "ok"
    assert executed.tests["test-1"] == TestResult("test-1", "ok", None, "kernel")
    assert grades(executed) == [POINTS]


def test_a_hidden_test_fails_and_its_learner_sees_nothing_of_it(execute: Execute) -> None:
    executed = execute("x = 2", ("assert x == 2\nprint('visible')", "assert x == 'a secret'"))
    assert executed.tests["test-1"].status == "failed"
    assert grades(executed) == [0]
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
    assert "assert x == 2" in text(executed.seen.cells[-1])


def test_what_a_hidden_test_changes_is_not_there_for_later_cells(execute: Execute) -> None:
    executed = execute("found = [1]", ("found.append(2)", "found.append(3)"), "found")
    assert executed.seen.cells[-1].outputs[0].data["text/plain"] == "[1, 2]"


def test_a_test_meets_what_was_there_at_its_place(execute: Execute) -> None:
    executed = execute("x = 1", ("", "assert x == 1"), "x = 2", ("", "assert x == 2"))
    assert grades(executed) == [POINTS, POINTS]


@pytest.mark.parametrize(
    ("hidden", "points"),
    [("1.5", 1.5), ("0", 0), ("'good'", POINTS), ("None", POINTS), ("print(1)", POINTS), ("-1", POINTS)],
)
def test_the_last_value_is_partial_credit_as_nbgrader_reads_it(
    hidden: str, points: float, execute: Execute
) -> None:
    assert grades(execute(("", hidden))) == [points]


def test_credit_above_the_maximum_is_the_maximum(execute: Execute) -> None:
    executed = execute(("", "7.5"))
    assert grades(executed) == [POINTS]
    assert executed.tests["test-0"].points == POINTS
    assert "7.5" in executed.tests["test-0"].message


@pytest.mark.parametrize(
    "hidden", ["float('nan')", "float('inf')", "class N:\n    def __repr__(self):\n        return ''\nN()"]
)
def test_a_result_that_is_no_credit_gives_none(hidden: str, execute: Execute) -> None:
    executed = execute(("", hidden))
    assert executed.graded.cells[-1].outputs[0].ename == NO_RESULT
    assert grades(executed) == [0]


def test_a_test_without_hidden_parts_is_run_once(execute: Execute) -> None:
    executed = execute("x = []", ("x.append(1); assert len(x) == 1", ""))
    assert grades(executed) == [POINTS]
    assert executed.tests["test-1"].trust == "kernel"


def test_random_numbers_go_on_in_a_test_as_in_the_notebook(execute: Execute) -> None:
    executed = execute(
        "import random\nrandom.seed(3)", ("", "assert random.random() == random.Random(3).random()")
    )
    assert grades(executed) == [POINTS]


def test_two_processes_draw_different_random_numbers(execute: Execute) -> None:
    drawn = {text(execute("import random\nprint(random.random())").seen.cells[-1]) for _ in range(2)}
    assert len(drawn) == 2


def test_a_hidden_test_may_await_and_use_bash_though_threads_are_gone(execute: Execute) -> None:
    started = "%%bash\ntrue"
    executed = execute(
        started, ("", "import asyncio\nawait asyncio.sleep(0)"), ("", "!true\nassert not _exit_code")
    )
    again = execute(started, ("", "%%bash\necho 1"))
    assert grades(executed) == [POINTS, POINTS]
    assert grades(again) == [POINTS]


def test_a_task_that_a_cell_left_can_be_awaited_by_a_hidden_test(execute: Execute) -> None:
    executed = execute(
        "import asyncio\ntask = asyncio.create_task(asyncio.sleep(0.01, 5))", ("", "assert await task == 5")
    )
    assert grades(executed) == [POINTS]


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
    assert grades(executed) == [0]
