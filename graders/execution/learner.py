"""The learner's process of one notebook, as the grader sees it."""

from __future__ import annotations

import json
import signal
import socket
from contextlib import suppress
from time import monotonic
from typing import Any

from graders.execution.cell_runner import CellRunner
from graders.execution.conversation import Conversation, Stopped
from graders.execution.results import RunLimits
from graders.execution.status import InfrastructureFault, RunStatus
from graders.forkserver.channel import MAX_BYTES, MIB
from graders.forkserver.client import ForkClient, ForkServerFailed
from graders.forkserver.process import ForkedProcess

FILES_SECONDS = 30
CHANGES_SECONDS = 10
MAX_HEARD = 1000
"""Messages that its cells left, before the one that is waited for."""


def fork_learner(warm: ForkClient, limits: RunLimits, file_bytes: int) -> ForkedProcess:
    """Return a new process for learner code, which can be sent so many bytes of files.

    Raises:
        InfrastructureFault: There is none.
        SandboxUnavailable: This machine cannot isolate learner code.
    """
    try:
        return warm.fork("cells", limits.process, max_bytes=max(MAX_BYTES, file_bytes + MIB))
    except ForkServerFailed as failed:
        raise InfrastructureFault(f"No process could be forked: {failed}") from failed


class StateLost(Exception):
    """A state that was to be looked at later is not there any more.

    Attributes:
        tests: By grade id, those that need it.
    """

    def __init__(self, tests: frozenset[str] = frozenset()) -> None:
        super().__init__("The notebook's last state does not do for all of its tests.")
        self.tests = tests


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

    def mark(self) -> bool:
        """Have the process remember what its names stand for now; return whether it is there to do so."""
        if self.is_over:
            return False
        try:
            self._conversation.send({"op": "mark"})
        except Stopped:
            return False
        return True

    def changed(self) -> list[frozenset[str]]:
        """Return for each mark the names that do not stand now for what they stood for then.

        The process is not told what for: it cannot learn from this which names tests use.

        Raises:
            StateLost: It does not say.
        """
        if self.is_over:
            raise StateLost
        try:
            names = self._answer("changed", "changed")["names"]
            return [frozenset(json.loads(each)) for each in names]
        except (Stopped, ValueError, TypeError, LookupError, RecursionError):
            raise StateLost from None

    def settle(self) -> None:
        """Wait until the process has made its copies: the first that is used changes files under the rest.

        One that does not answer loses nobody's points but its own.
        """
        if not self.is_over:
            with suppress(Stopped, LookupError):
                self._answer("settle", "settled")

    def _answer(self, question: str, answer: str) -> dict[str, Any]:
        """Return what the process answers after all that its cells left to be heard.

        Raises:
            Stopped: It is gone, or too late.
            LookupError: It says too much else.
        """
        self._conversation.send({"op": question})
        deadline = monotonic() + CHANGES_SECONDS
        for _ in range(MAX_HEARD):
            message = self._conversation.hear(deadline - monotonic())
            if message.get("op") == answer:
                return message
        raise LookupError(answer)

    def share(self) -> socket.socket:
        """Return a connection to a copy of the process that can be looked at by one test after another.

        Raises:
            StateLost: The process is gone.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._conversation.send({"op": "share"}, fds=(theirs.fileno(),))
            except Stopped:
                ours.close()
                raise StateLost from None
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
