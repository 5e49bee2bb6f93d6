"""A kernel that nothing is forked for runs in the sandbox, with the same limits and results."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade

from graders.execution.kernel import environments_of, execute_in_kernel
from graders.execution.results import ExecutedNotebook, RunLimits, TestCell
from graders.execution.status import KERNEL_DIED, NOT_RUN, OUT_OF_TIME, InfrastructureFault

POINTS = 4


@pytest.fixture(autouse=True)
def other_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install the kernelspec `other`, which sets a variable."""
    folder = tmp_path / "share" / "kernels" / "other"
    folder.mkdir(parents=True)
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Other",
        "language": "python",
        "env": {"OTHER": "yes"},
    }
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    # With this variable a kernel does not catch what is written behind Python's back.
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    return "other"


def test_a_notebook_runs_in_its_kernel_with_its_files_and_hidden_tests_stay_hidden(other_kernel: str) -> None:
    executed = _execute(
        other_kernel,
        "import os\nos.environ['OTHER'], os.path.exists('/work')",
        "print('out')\nx = 2",
        TestCell("passes", "assert x == 2\nprint('secret')\n1.5", "assert x == 2"),
        TestCell("fails", "assert x == 'a secret'", ""),
        "1/0",
    )
    assert executed.seen.cells[0].outputs[0].data["text/plain"].startswith("('yes'")
    assert executed.seen.cells[1].outputs[0].text == "out\n"
    assert executed.seen.cells[4].outputs[0].ename == "ZeroDivisionError"
    assert _grades(executed) == [1.5, 0]
    assert [result.status for result in executed.tests.values()] == ["ok", "failed"]
    assert {result.trust for result in executed.tests.values()} == {"kernel"}
    assert "secret" in str(executed.graded)
    assert "secret" not in str(executed.seen)


def test_what_takes_or_shows_too_much_is_stopped(other_kernel: str) -> None:
    executed = _execute(
        other_kernel,
        "while True: pass",
        "print('x' * 10**6)\n1/0",
        "import os\nos._exit(0)",
        "2",
        TestCell("never-run", "assert 1", ""),
        limits=RunLimits(cell_seconds=2, cell_output_bytes=10_000),
    )
    slow, long, dies, later, _ = executed.seen.cells
    assert slow.outputs[-1].ename == OUT_OF_TIME
    assert "truncated" in long.outputs[-2].text
    assert long.outputs[-1].ename == "ZeroDivisionError"
    assert dies.outputs[0].ename == KERNEL_DIED
    assert later.outputs[0].ename == NOT_RUN
    assert executed.status == "runtime-error"
    assert _grades(executed) == [0]


def test_a_kernel_that_is_not_installed_is_no_fault_of_the_learner() -> None:
    with pytest.raises(InfrastructureFault, match="no-such-kernel"):
        _execute("no-such-kernel", "1")


def test_of_a_program_in_a_home_only_its_own_folder_is_seen(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "kernel"
    assert list(environments_of(program)) == [tmp_path / "bin"]
    (tmp_path / "pyvenv.cfg").touch()
    assert list(environments_of(program)) == [tmp_path]
    assert list(environments_of(Path("R"))) == []


def _execute(kernel: str, *cells: str | TestCell, limits: RunLimits | None = None) -> ExecutedNotebook:
    tests = {cell.grade_id: cell for cell in cells if isinstance(cell, TestCell)}
    notebook = new_notebook(cells=[_cell(cell) for cell in cells])
    return execute_in_kernel(notebook, tests, b"", kernel, limits or RunLimits())


def _cell(cell: str | TestCell) -> NotebookNode:
    if isinstance(cell, str):
        return new_code_cell(cell)
    graded = {"grade_id": cell.grade_id, "grade": True, "solution": False, "locked": True, "points": POINTS}
    return new_code_cell("", metadata={"nbgrader": graded | {"schema_version": 3, "task": False}})


def _grades(executed: ExecutedNotebook) -> list[float | None]:
    return [determine_grade(cell)[0] for cell in executed.graded.cells if "nbgrader" in cell.metadata]
