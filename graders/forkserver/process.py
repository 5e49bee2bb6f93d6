"""A process that a fork server forked, as seen by who asked for it."""

from __future__ import annotations

import contextlib
import os
import signal
from types import TracebackType
from typing import Self

from graders.forkserver.channel import Channel, ChannelClosed
from graders.forkserver.limits import ExitStatus


class ForkedProcess:
    """One run: the process that serves, and all that it starts. Leaving its context kills all of it.

    Args:
        pid: Of the process, in its own process namespace.
        descriptor: A pidfd of it.
        channel: To it. What comes through may be a learner's.
        connection: To the fork server and the run's first process, which are ours.
        sandboxed: Whether it is confined.
    """

    def __init__(
        self, *, pid: int, descriptor: int, channel: Channel, connection: Channel, sandboxed: bool
    ) -> None:
        self.pid = pid
        self.channel = channel
        self.sandboxed = sandboxed
        self._descriptor = descriptor
        self._connection = connection
        self._status: ExitStatus | None = None
        self._is_lost = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the process that serves ends."""
        return self._connection.fileno()

    def interrupt(self) -> None:
        """Send SIGINT to the process that serves; nothing happens when it has ended."""
        self.send_signal(signal.SIGINT)

    def send_signal(self, number: int) -> None:
        """Send a signal to the process that serves; nothing happens when it has ended."""
        if self._descriptor >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def wait(self, timeout: float | None = None) -> ExitStatus:
        """Return how the process that serves has ended; others of its run may go on.

        Raises:
            TimeoutError: It has not ended.
        """
        if self._status is None:
            try:
                header = self._connection.receive(timeout).header
                self._status = ExitStatus(header["code"], header["signal"])
            except ChannelClosed:
                # All of the run ends with the fork server, which had nothing to tell of it.
                self._status = ExitStatus(None, signal.SIGKILL)
                self._is_lost = True
        return self._status

    def is_lost(self) -> bool:
        """Return whether the fork server has died, and all of the run with it: nothing that the run did."""
        with contextlib.suppress(TimeoutError):
            self.wait(timeout=0)
            # Within a sandbox a run lasts until it is killed, and its connection as long.
            if self.sandboxed and self._descriptor >= 0 and not self._is_lost:
                try:
                    self._connection.receive(timeout=0)
                except ChannelClosed:
                    self._is_lost = True
        return self._is_lost

    def kill(self) -> None:
        """Kill all of the run; it is gone soon after. `wait` then says how it ended before, or by SIGKILL."""
        if self._descriptor < 0:
            return
        with contextlib.suppress(TimeoutError):
            self.wait(timeout=0)
        self._status = self._status or ExitStatus(None, signal.SIGKILL)
        self._connection.hang_up()
        self.channel.close()
        os.close(self._descriptor)
        self._descriptor = -1
