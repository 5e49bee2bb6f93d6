"""Tests that share the state in which a notebook ends give what they give with a copy for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.preprocessors import ClearHiddenTests

from graders.authoring.bench import data_tar
from graders.authoring.source import read_source
from graders.engine.warm import environment_for
from graders.execution.learner import LearnerProcess
from graders.execution.results import ExecutedNotebook, RunLimits, TestCell
from graders.execution.run import execute_notebook
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from graders.referee.calibration import calibrate, calibrated, instructor_side
from graders.referee.trial import InstructorSide, Referee
from tests.state_carrying_notebooks import STATE_CARRYING, Cell

MODULES = Path(__file__).parents[2] / "course" / "modules"
LIMITS = RunLimits(cell_seconds=1)
Shares = Callable[..., ExecutedNotebook]


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmParent]:
    with WarmParent(WarmEnvironment(imports=("numpy", "pandas"))) as parent:
        yield parent


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What copies of processes were made, in order."""
    made: list[str] = []
    for name in ("snapshot", "share"):
        original = getattr(LearnerProcess, name)

        def copy(
            self: LearnerProcess, original: Callable[[LearnerProcess], object] = original, name: str = name
        ) -> object:
            made.append(name)
            return original(self)

        monkeypatch.setattr(LearnerProcess, name, copy)
    return made


@pytest.mark.parametrize("name", STATE_CARRYING)
def test_scores_and_outputs_are_those_of_a_copy_for_each_test(name: str, warm: WarmParent) -> None:
    notebook, tests = _built(STATE_CARRYING[name])
    careful, late = _run(notebook, tests, warm, at_end=False), _run(notebook, tests, warm, at_end=True)
    assert {key: result.status for key, result in late.tests.items()} == {
        key: result.status for key, result in careful.tests.items()
    }
    assert (late.tests, late.status) == (careful.tests, careful.status)
    assert late.graded == careful.graded
    assert late.seen == careful.seen


def test_one_copy_serves_all_tests_where_nothing_changes(warm: WarmParent, copies: list[str]) -> None:
    executed = _run(*_built(STATE_CARRYING["nothing-changes"]), warm, at_end=True)
    assert {result.status for result in executed.tests.values()} == {"ok"}
    assert copies == ["share"]


def test_a_warning_of_long_ago_changes_nothing(warm: WarmParent, copies: list[str]) -> None:
    cells = (
        "import warnings\nwarnings.warn('look')\ndef f():\n    return 1",
        ("", "assert f() == 1"),
        "x = 2",
    )
    assert not _run(*_built(cells), warm, at_end=True).unsteady
    assert copies == ["share"]


@pytest.mark.parametrize(
    ("name", "unsteady"),
    [
        ("function-defined-anew", {"test-1"}),
        ("table-changed-later", {"test-1"}),
        ("name-comes-later", {"test-1"}),
        ("closure", {"test-1"}),
        ("process-ends-where-no-text-tells", {"test-1", "test-2", "test-4"}),
    ],
)
def test_a_notebook_runs_again_where_its_end_does_not_do(
    name: str, unsteady: set[str], warm: WarmParent, copies: list[str]
) -> None:
    executed = _run(*_built(STATE_CARRYING[name]), warm, at_end=True)
    assert executed.unsteady == unsteady
    assert set(copies) == {"snapshot"}


def test_a_test_that_changes_the_state_costs_the_next_one_a_new_copy(
    warm: WarmParent, copies: list[str]
) -> None:
    cells = ("x = [1]\ndef f():\n    x.append(2)\n    return x",) + 2 * (("", "assert f() == [1, 2]"),)
    executed = _run(*_built(cells), warm, at_end=True)
    assert [result.status for result in executed.tests.values()] == ["ok", "ok"]
    assert copies == ["share", "share"]


def test_a_stubborn_cell_at_the_end_leaves_earlier_tests_what_they_gave(
    warm: WarmParent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graders.execution.conversation.INTERRUPT_SECONDS", 0.5)
    stubborn = "import pathlib\npathlib.os.kill(pathlib.os.getpid(), 19)"
    notebook, tests = _built(("x = 1", ("", "assert x == 1"), stubborn, ("", "assert x")))
    executed = _run(notebook, tests, warm, at_end=True)
    assert [result.status for result in executed.tests.values()] == ["ok", "time"]
    assert executed.unsteady == tests.keys()


def test_a_process_that_says_that_nothing_has_changed_gets_tests_judged_in_its_last_state(
    warm: WarmParent, copies: list[str]
) -> None:
    lie = (
        "import pathlib\n"
        "loaded = pathlib.sys.__getattribute__('mod' + 'ules')\n"
        "type.__setattr__(loaded['graders.execution.facts'].Facts, 'changed', lambda *_: frozenset())"
    )
    notebook, tests = _built((lie, "x = 1", ("", "assert x == 1"), "x = 2"))
    executed = _run(notebook, tests, warm, at_end=True)
    assert executed.tests["test-2"].status == "failed"
    assert copies == ["share"]


def test_the_solution_tells_which_tests_can_wait(warm: WarmParent) -> None:
    notebook, tests = _built(
        (
            "x = [1]\ny = 2",
            ("", "assert x == [1]"),
            ("", "assert y == 2"),
            "x.append(2)",
            ("", "assert len(x) == 2"),
        )
    )
    trusts = calibrate(notebook, tests, b"", warm, LIMITS)
    assert {key: trust.at_end for key, trust in trusts.items()} == {
        "test-1": False,
        "test-2": True,
        "test-4": True,
    }


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in MODULES.glob("*/exercises.md")))
def test_solutions_of_the_sample_modules_get_the_same(folder: str, copies: list[str]) -> None:
    notebook = read_source(MODULES / folder / "exercises.md").built()
    visible, _ = ClearHiddenTests().preprocess(nbformat.from_dict(notebook), {})
    tests = {
        cell.metadata.nbgrader.grade_id: TestCell(cell.metadata.nbgrader.grade_id, cell.source, seen.source)
        for cell, seen in zip(notebook.cells, visible.cells, strict=True)
        if cell.cell_type == "code"
        and cell.metadata.get("nbgrader", {}).get("grade")
        and not cell.metadata.nbgrader.solution
    }
    files = data_tar(MODULES / folder / "data")
    with WarmParent(environment_for([nbformat.writes(notebook)], {"spoc"})) as parent:
        trusts = calibrate(notebook, tests, files, parent, RunLimits())
        side = calibrated(instructor_side(notebook, tests, files), trusts)
        decided = {key: replace(test, trust=trusts[key].trust) for key, test in tests.items()}
        careful = _run(notebook, decided, parent, at_end=False, side=side, files=files)
        copies.clear()
        late = {key: replace(test, at_end=trusts[key].at_end) for key, test in decided.items()}
        shared = _run(notebook, late, parent, side=side, files=files)
    assert shared.tests == careful.tests
    assert len(copies) < len(tests)


def _built(cells: tuple[Cell, ...]) -> tuple[NotebookNode, dict[str, TestCell]]:
    """Return a notebook, and its tests by grade id, which tells their places."""
    tests = {}
    notebook = new_notebook()
    for place, cell in enumerate(cells):
        if isinstance(cell, str):
            notebook.cells.append(new_code_cell(cell, id=f"c{place}"))
            continue
        name = f"test-{place}"
        tests[name] = TestCell(name, "\n".join(filter(None, cell)), cell[0])
        about = {
            "grade_id": name,
            "grade": True,
            "solution": False,
            "locked": True,
            "points": 4,
            "schema_version": 3,
        }
        notebook.cells.append(
            new_code_cell(cell[0], id=f"c{place}", metadata={"nbgrader": {**about, "task": False}})
        )
    return notebook, tests


def _run(
    notebook: NotebookNode,
    tests: dict[str, TestCell],
    warm: WarmParent,
    *,
    at_end: bool | None = None,
    side: InstructorSide | None = None,
    files: bytes = b"",
) -> ExecutedNotebook:
    if at_end is not None:
        tests = {key: replace(test, at_end=at_end) for key, test in tests.items()}
    side = side or instructor_side(notebook, tests, files)
    return execute_notebook(notebook, tests, files, warm, LIMITS, partial(Referee, warm, LIMITS, side))
