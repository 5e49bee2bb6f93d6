"""The slow way: runs a notebook in a kernel of its own, for languages and environments that are not forked.

No copy can be made of such a kernel, so its tests are judged beside the learner's code, and a notebook with
hidden tests runs twice: once for its trainer, and once without them for what its learner may see.
"""

from __future__ import annotations

import tarfile
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Empty
from time import monotonic, perf_counter
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_core.utils import run_sync
from nbformat import NotebookNode
from nbformat.notebooknode import from_dict
from traitlets.config import Config

from graders.execution.cell_runner import CellRunner
from graders.execution.conversation import DIED, LOOK_SECONDS, Listener, Ran, Stopped, most_bytes
from graders.execution.files import unpack
from graders.execution.installed_kernel import InstalledKernelManager
from graders.execution.outputs import NotebookOutputs
from graders.execution.results import ExecutedNotebook, RunLimits, TestCell, TestResult
from graders.execution.status import InfrastructureFault, RunStatus
from graders.execution.streams import Outlet
from graders.execution.verdict import verdict
from graders.sandbox.folders import folder_prefix

READY_SECONDS = 60
REPLY_SECONDS = 4
"""For the reply to a cell whose outputs have all come."""
# What a kernel sends that is not itself any more does not even read as a message.
BAD_MESSAGES = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


def execute_in_kernel(
    notebook: NotebookNode, tests: Mapping[str, TestCell], files: bytes, kernel: str, limits: RunLimits
) -> ExecutedNotebook:
    """Run a submitted notebook as `execute_notebook` does, in the sandbox but in a kernel of its own.

    Args:
        notebook: Repaired; it stays as it is.
        tests: By grade id.
        files: A tar of what lies beside the notebook, empty for nothing.
        kernel: Name of an installed kernelspec: the assignment's, never what a submission asks for.
        limits: Of the run.

    Raises:
        InfrastructureFault: The kernel is not installed or does not start.
        SandboxUnavailable: This machine cannot isolate learner code.
    """
    start = perf_counter()
    full = {name: test.full for name, test in tests.items()}
    visible = {name: test.visible for name, test in tests.items()}
    graded, statuses, status = _execute(notebook, full, files, kernel, limits)
    middle = perf_counter()
    seen = from_dict(graded) if full == visible else _execute(notebook, visible, files, kernel, limits)[0]
    results = _judge(graded, tests, statuses)
    if status == "ok" and any(result.status != "ok" for result in results.values()):
        status = "failed"
    phases = {"cells": middle - start, "seen": perf_counter() - middle}
    return ExecutedNotebook(graded, seen, status, results, phases)


def _execute(
    notebook: NotebookNode, sources: Mapping[str, str], files: bytes, kernel: str, limits: RunLimits
) -> tuple[NotebookNode, dict[str, RunStatus], RunStatus]:
    """Return the notebook as run, how its tests went by grade id, and what stopped the kernel."""
    executed = from_dict(notebook)
    statuses: dict[str, RunStatus] = {}
    with _started(kernel, files, limits) as talk:
        runner = CellRunner(talk, limits)
        for cell in executed.cells:
            if cell.cell_type == "code":
                name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
                cell.source = sources.get(name, cell.source)
                statuses[name] = runner.run(cell, cell.source)
                if runner.is_over and name in sources and not cell.outputs:
                    cell.outputs = [runner.not_run]
    return executed, statuses, runner.status


def _judge(
    graded: NotebookNode, tests: Mapping[str, TestCell], statuses: Mapping[str, RunStatus]
) -> dict[str, TestResult]:
    results = {}
    for cell in graded.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if cell.cell_type == "code" and name in tests:
            test = replace(tests[name], trust="kernel")
            judgement = verdict(test, cell, cell.outputs, statuses[name])
            cell.outputs = list(judgement.outputs)
            results[name] = judgement.result
    return results


@contextmanager
def _started(kernel: str, files: bytes, limits: RunLimits) -> Iterator[_KernelTalk]:
    process = limits.process
    config = Config()
    config.SandboxProvisioner.update(
        memory_bytes=process.memory_bytes,
        cpu_seconds=process.cpu_seconds,
        scratch_bytes=process.scratch_bytes,
    )
    manager = InstalledKernelManager(kernel_name=kernel, config=config)
    client: BlockingKernelClient | None = None
    try:
        with tempfile.TemporaryDirectory(prefix=folder_prefix("files")) as folder:
            if files:
                unpack(files, Path(folder))
            run_sync(manager.start_kernel)(cwd=folder)
        client = manager.blocking_client()
        client.start_channels()
        client.wait_for_ready(timeout=READY_SECONDS)
        yield _KernelTalk(manager, client, limits)
    except (NoSuchKernel, RuntimeError, tarfile.TarError) as error:
        raise InfrastructureFault(f"The kernel {kernel} does not start: {error}") from error
    finally:
        if client is not None:
            client.stop_channels()
        if manager.has_kernel:
            run_sync(manager.shutdown_kernel)(now=True)
        manager.remove_folder()


class _KernelTalk:
    """Runs cells in a kernel; says of each what a forked process would say."""

    def __init__(
        self, manager: InstalledKernelManager, client: BlockingKernelClient, limits: RunLimits
    ) -> None:
        self._manager = manager
        self._client = client
        self._limits = limits
        self._said: deque[dict[str, Any]] = deque()
        self._outlet = Outlet()
        self._outlet.connect(self)
        self._request = ""

    def run(self, source: str, cell: str, seconds: float, outputs: NotebookOutputs) -> Ran:
        """Run a cell; see `Conversation.run`."""
        self._outlet.open(cell, self._limits.cell_output_bytes, self._limits.cell_outputs)
        self._request = self._client.execute(source, allow_stdin=False, stop_on_error=False)
        self._cell = cell
        return Listener(self, outputs, seconds, most_bytes(self._limits)).listen()

    def send(self, message: dict[str, Any]) -> None:
        """Take a message of the outlet, which keeps to the bounds."""
        self._said.append(message)

    def receive(self, seconds: float) -> dict[str, Any] | None:
        """Return the next message about the cell; see `Speaker`."""
        if not self._said:
            try:
                self._hear(self._client.get_iopub_msg(timeout=max(0.0, min(seconds, LOOK_SECONDS))))
            except Empty:
                if not run_sync(self._manager.is_alive)():
                    raise Stopped("runtime-error", DIED) from None
            except BAD_MESSAGES as error:
                raise Stopped("runtime-error", DIED) from error
        return self._said.popleft() if self._said else None

    def interrupt(self) -> None:
        self._manager.interrupt()

    def _hear(self, message: dict[str, Any]) -> None:
        if message["parent_header"].get("msg_id") != self._request:
            return
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "stream":
            self._outlet.text(content["name"], content["text"], self._cell)
        elif kind == "status" and content["execution_state"] == "idle":
            self._outlet.done(self._reply())
        else:
            self._outlet.message(kind, content, self._cell)

    def _reply(self) -> dict[str, Any]:
        until = monotonic() + REPLY_SECONDS
        # A kernel that is not itself any more may send others without end.
        while (left := until - monotonic()) > 0:
            reply = self._client.get_shell_msg(timeout=left)
            if reply["parent_header"].get("msg_id") == self._request:
                told = ("status", "ename", "evalue", "traceback", "execution_count")
                return {key: reply["content"][key] for key in told if key in reply["content"]}
        raise Empty
