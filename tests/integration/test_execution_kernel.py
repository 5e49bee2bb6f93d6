"""A kernel that nothing is forked for runs in the sandbox, with the same limits and results."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from jupyter_client.kernelspec import find_kernel_specs
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade

from graders.execution.installed_kernel import environments_of
from graders.execution.kernel import execute_in_kernel
from graders.execution.results import ExecutedNotebook, RunLimits, TestCell
from graders.execution.status import KERNEL_DIED, NOT_RUN, OUT_OF_TIME, InfrastructureFault

POINTS = 4


LOOK_AROUND = {
    "other": """
import os, socket
try:
    socket.create_connection(("127.0.0.1", {port}), timeout=2)
    print("reached")
except OSError:
    print("no network")
print("seen" if os.path.exists("{submission}") else "unseen")
print(len([name for name in os.listdir("/proc") if name.isdigit()]), "processes")
""",
    "ir": """
reached <- try(suppressWarnings(socketConnection("127.0.0.1", {port}, timeout = 2)), silent = TRUE)
cat(if (inherits(reached, "try-error")) "no network\\n" else "reached\\n")
cat(if (file.exists("{submission}")) "seen\\n" else "unseen\\n")
cat(length(grep("^[0-9]+$", list.files("/proc"))), "processes\\n")
""",
}
DEAF = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "{token}"], start_new_session=True)
while True:
    pass
"""
needs_r = pytest.mark.skipif(
    "ir" not in find_kernel_specs(), reason="IRkernel is not installed (kernel 'ir')"
)


@pytest.fixture(autouse=True)
def other_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install the kernelspecs `other`, which sets a variable, and `signalled`, which a signal interrupts."""
    for name, language in (("other", "python"), ("signalled", "none that is known")):
        folder = tmp_path / "share" / "kernels" / name
        folder.mkdir(parents=True)
        spec = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "language": language,
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


@pytest.mark.parametrize("kernel", ["other", pytest.param("ir", marks=needs_r)])
def test_no_network_no_other_submission_and_no_other_process_is_reached(kernel: str, tmp_path: Path) -> None:
    submission = tmp_path / "submitted" / "ben.ipynb"
    submission.parent.mkdir()
    submission.write_text("another learner's")
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        look = LOOK_AROUND[kernel].format(port=server.getsockname()[1], submission=submission)
        executed = _execute(kernel, look)
    network, seen, processes = executed.graded.cells[0].outputs[0].text.splitlines()
    assert (network, seen) == ("no network", "unseen")
    # bubblewrap's own and the kernel, with a shell for whatever starts others.
    assert int(processes.split()[0]) <= 4


@pytest.mark.parametrize(
    ("kernel", "endless"),
    [("signalled", "while True: pass"), pytest.param("ir", "while (TRUE) {}", marks=needs_r)],
)
def test_a_kernel_is_interrupted_by_signal_and_goes_on(kernel: str, endless: str) -> None:
    executed = _execute(kernel, "x = 2", endless, "print(x)", limits=RunLimits(cell_seconds=1))
    _, slow, later = executed.graded.cells
    assert slow.outputs[-1].ename == OUT_OF_TIME
    assert "2" in later.outputs[0].text
    assert executed.status == "ok"


def test_what_hears_no_interrupt_is_ended_with_all_that_it_started() -> None:
    token = uuid4().hex
    limits = RunLimits(cell_seconds=1)
    executed = _execute("signalled", DEAF.format(token=token), "2", limits=limits)
    assert executed.status == "time"
    assert [cell.outputs[-1].ename for cell in executed.graded.cells] == [OUT_OF_TIME, NOT_RUN]
    assert [command for command in _commands() if token in command] == []


def test_a_kernel_that_is_not_installed_is_no_fault_of_the_learner() -> None:
    with pytest.raises(InfrastructureFault, match="no-such-kernel"):
        _execute("no-such-kernel", "1")


def test_of_a_program_in_a_home_only_its_own_folder_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "kernel"
    assert list(environments_of(program)) == [tmp_path / "bin"]
    (tmp_path / "pyvenv.cfg").touch()
    assert list(environments_of(program)) == [tmp_path]
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "lib" / "R").mkdir(parents=True)
    assert list(environments_of(program)) == [tmp_path / "bin", tmp_path / "lib" / "R"]


def test_an_r_that_is_deep_in_its_environment_sees_all_of_it(tmp_path: Path) -> None:
    program = tmp_path / "conda" / "lib" / "R" / "bin" / "R"
    program.parent.mkdir(parents=True)
    (tmp_path / "conda" / "conda-meta").mkdir()
    assert list(environments_of(program)) == [tmp_path / "conda"]
    assert list(environments_of(Path("R"))) == []


@needs_r
def test_r_finds_the_packages_of_its_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "R" / "x86_64-pc-linux-gnu-library").mkdir(parents=True)
    show = "cat(R.version$platform, paste(R.version$major, sub('[.].*', '', R.version$minor), sep = '.'))"
    platform, version = _execute("ir", show).graded.cells[0].outputs[0].text.split()
    library = tmp_path / "R" / f"{platform}-library" / version
    (library / "spoken").mkdir(parents=True)
    (library / "spoken" / "hello.txt").write_text("hello\n")
    (tmp_path / "R" / "notes.txt").write_text("of the trainer's own")
    read = "readLines(file.path(.libPaths()[1], 'spoken/hello.txt'))"
    executed = _execute("ir", f"cat(.libPaths()[1], list.files('{tmp_path}/R'), {read})")
    assert executed.graded.cells[0].outputs[0].text.split() == [str(library), f"{platform}-library", "hello"]


def _commands() -> Iterator[str]:
    """Yield the command lines of all processes of this machine."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().decode(errors="replace")
        except OSError:
            continue


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
