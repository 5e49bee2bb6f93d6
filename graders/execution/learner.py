"""The learner's process of one notebook, as the grader sees it."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress

from graders.execution.cell_runner import CellRunner
from graders.execution.conversation import Conversation, Stopped
from graders.execution.results import RunLimits
from graders.execution.status import InfrastructureFault, RunStatus
from graders.forkserver.process import ForkedProcess

FILES_SECONDS = 30


class LearnerProcess(CellRunner):
    """Runs cells in a forked process, and copies it where a test stands."""

    def __init__(self, forked: ForkedProcess, limits: RunLimits) -> None:
        self._forked = forked
        self._conversation = Conversation(forked.channel, limits, self.ended, forked.interrupt)
        super().__init__(self._conversation, limits)

    def unpack(self, files: bytes) -> None:
        """Put a tar's files into the working folder. No code of the learner has run yet.

        Raises:
            InfrastructureFault: They do not arrive.
        """
        if not files:
            return
        try:
            self._conversation.send({"op": "files"}, files)
            answer = self._conversation.hear(FILES_SECONDS)
        except Stopped as stopped:
            raise InfrastructureFault(f"A forked process did not start: {stopped}") from stopped
        if answer.get("op") != "done":
            raise InfrastructureFault(f"Files cannot be unpacked: {answer.get('failed')}")
        self.start_clock()

    def snapshot(self) -> socket.socket | None:
        """Return a connection to a copy of the process as it is now; None when it is gone."""
        if self.is_over:
            return None
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._conversation.send({"op": "snapshot"}, fds=(theirs.fileno(),))
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
