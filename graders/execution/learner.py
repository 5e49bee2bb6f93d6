"""The learner's process of one notebook, as the grader sees it."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from time import monotonic

from nbformat import NotebookNode

from graders.execution.conversation import Conversation, Stopped
from graders.execution.outputs import NotebookOutputs
from graders.execution.results import RunLimits
from graders.execution.status import (
    KERNEL_DIED,
    NOT_RUN,
    OUT_OF_TIME,
    InfrastructureFault,
    RunStatus,
    fault,
)
from graders.forkserver.process import ForkedProcess

FILES_SECONDS = 30
DIED_BETWEEN = "The kernel stopped working between two cells."


class LearnerProcess:
    """Runs cells one after another, each for a bounded time.

    Once the process is gone or time is up, every cell that follows gets an error: no test passes unrun.

    Attributes:
        status: `ok`, or what stopped the process.
    """

    def __init__(self, forked: ForkedProcess, limits: RunLimits) -> None:
        self.status: RunStatus = "ok"
        self._forked = forked
        self._limits = limits
        self._talk = Conversation(forked.channel, limits, self.ended, forked.interrupt)
        self._outputs = NotebookOutputs()
        self._deadline = monotonic() + limits.notebook_seconds
        self._over = ""
        self._cells = 0

    @property
    def not_run(self) -> NotebookNode:
        """What stands in a cell that cannot be run any more."""
        return fault(NOT_RUN, f"Not run. {self._over or DIED_BETWEEN}")

    def unpack(self, files: bytes) -> None:
        """Put a tar's files into the working folder. No code of the learner has run yet.

        Raises:
            InfrastructureFault: They do not arrive.
        """
        if not files:
            return
        try:
            self._talk.send({"op": "files"}, files)
            answer = self._talk.hear(FILES_SECONDS)
        except Stopped as stopped:
            raise InfrastructureFault(f"A forked process did not start: {stopped}") from stopped
        if answer.get("op") != "done":
            raise InfrastructureFault(f"Files cannot be unpacked: {answer.get('failed')}")
        self._deadline = monotonic() + self._limits.notebook_seconds

    def run(self, cell: NotebookNode, source: str) -> RunStatus:
        """Run `source` and put what comes of it into `cell`; return how that went."""
        cell.outputs = []
        cell.execution_count = None
        if not source.strip():
            return "ok"
        left = self._deadline - monotonic()
        if not self._over and left <= 0:
            self._over = f"The notebook took longer than {self._limits.notebook_seconds:g} seconds."
            self.status = "time"
        if self._over:
            cell.outputs.append(self.not_run)
            return self.status
        self._outputs.begin(cell.outputs)
        self._cells += 1
        seconds = min(left, self._limits.cell_seconds)
        try:
            ran = self._talk.run(source, f"cell-{self._cells}", seconds, self._outputs)
        except Stopped as stopped:
            return self._stop(cell, stopped)
        cell.execution_count = ran.execution_count
        return ran.status

    def snapshot(self) -> socket.socket | None:
        """Return a connection to a copy of the process as it is now; None when it is gone."""
        if self._over:
            return None
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._talk.send({"op": "snapshot"}, fds=(theirs.fileno(),))
            except Stopped:
                # Its last cell had ended well. The next one will tell what happened since.
                ours.close()
                return None
        return ours

    def leave(self) -> None:
        """Stop listening for good: whatever it says from here on reaches nobody."""
        self._forked.channel.close()

    def ended(self, seconds: float) -> RunStatus | None:
        """Return what ended the process; None when it lives on for so long.

        Raises:
            InfrastructureFault: Nothing that it did.
        """
        with suppress(TimeoutError):
            status = self._forked.wait(seconds)
            self.check()
            if status.signal == signal.SIGXCPU:
                return "time"
            return "runtime-error" if status.signal is None else "signal"
        return None

    def check(self) -> None:
        """Make sure that whatever ended was the process's own doing.

        Raises:
            InfrastructureFault: The fork server has ended, and every process and snapshot with it.
        """
        if self._forked.is_lost():
            raise InfrastructureFault("The fork server ended in the middle of a notebook.")

    def _stop(self, cell: NotebookNode, stopped: Stopped) -> RunStatus:
        self.status, self._over = stopped.status, stopped.reason
        name = OUT_OF_TIME if stopped.status == "time" else KERNEL_DIED
        cell.outputs.insert(0, fault(name, stopped.reason))
        self.leave()
        return self.status
