"""Talks with a process of learner code: gives it cells, hears their outputs, stops listening in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol

from graders.execution.outputs import BadOutput, NotebookOutputs, execution_count
from graders.execution.results import RunLimits
from graders.execution.status import OUT_OF_TIME, RunStatus, fault
from graders.execution.streams import weight
from graders.forkserver.channel import BadMessage, Channel, ChannelClosed

SEND_SECONDS = 5
"""For a process to take a cell, which it waits for."""
INTERRUPT_SECONDS = 5
"""For an interrupted cell to end."""
END_SECONDS = 1
"""For news of the end of a process that says nothing more."""
LOOK_SECONDS = 1
"""Between looks at whether a silent process still lives: something that it started may hold its channel."""
SHOWTRACEBACK_DISABLED = "ERROR: An error occurred while showtraceback was disabled"
TOO_LONG = "The cell ran too long and was stopped."
DIED = "The kernel stopped working in the middle of a cell."


class Stopped(Exception):
    """The process runs no more cells."""

    def __init__(self, status: RunStatus, reason: str) -> None:
        super().__init__(reason)
        self.status: RunStatus = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Ran:
    """A cell that ran to its end or was interrupted."""

    status: RunStatus
    execution_count: int | None


class Conversation:
    """The cells that one process runs.

    Args:
        channel: To the process.
        limits: What a cell may take and show.
        ended: Return how the process ended, None when it lives on for so many seconds.
        interrupt: Interrupt its cell.
    """

    def __init__(
        self,
        channel: Channel,
        limits: RunLimits,
        ended: Callable[[float], RunStatus | None],
        interrupt: Callable[[], None],
    ) -> None:
        self.channel = channel
        self._limits = limits
        self._ended = ended
        self._interrupt = interrupt

    def send(self, message: dict[str, Any], *buffers: bytes, fds: tuple[int, ...] = ()) -> None:
        """Send a message.

        Raises:
            Stopped: The process does not read, or is no more.
        """
        try:
            self.channel.send(message, *buffers, fds=fds, timeout=SEND_SECONDS)
        except (ChannelClosed, TimeoutError):
            raise self._stopped() from None

    def run(self, source: str, cell: str, seconds: float, outputs: NotebookOutputs) -> Ran:
        """Run a cell; `outputs` has begun with it.

        Args:
            source: What to run.
            cell: A name that no other cell of this process has.
            seconds: Until it is interrupted.
            outputs: Where its outputs go.

        Raises:
            Stopped: The cell is the last one that this process has run.
        """
        request = {"op": "run", "cell": cell, "source": source, "seconds": seconds}
        bounds = {"max_bytes": self._limits.cell_output_bytes, "max_outputs": self._limits.cell_outputs}
        self.send(request | bounds)
        return Listener(self, outputs, seconds, most_bytes(self._limits)).listen()

    def hear(self, seconds: float) -> dict[str, Any]:
        """Return the next message.

        Raises:
            Stopped: There is none within `seconds`.
        """
        deadline = monotonic() + seconds
        while (left := deadline - monotonic()) > 0:
            if (message := self.receive(left)) is not None:
                return message
        raise Stopped("time", "The process does not answer.")

    def receive(self, seconds: float) -> dict[str, Any] | None:
        """Return the next message; None when `seconds`, or one second, are over.

        Raises:
            Stopped: There will be none.
        """
        try:
            return self.channel.receive(max(0.0, min(seconds, LOOK_SECONDS))).header
        except TimeoutError:
            if self._ended(0) is not None:
                raise self._stopped() from None
            return None
        except (ChannelClosed, BadMessage):
            raise self._stopped() from None

    def interrupt(self) -> None:
        self._interrupt()

    def _stopped(self) -> Stopped:
        return Stopped(self._ended(END_SECONDS) or "runtime-error", DIED)


class Speaker(Protocol):
    """What says, message by message, what comes of a cell."""

    def receive(self, seconds: float) -> dict[str, Any] | None:
        """Return the next message; None when there is none for `seconds` or a shorter time.

        Raises:
            Stopped: There will be none.
        """

    def interrupt(self) -> None:
        """Interrupt the cell."""


class Listener:
    """Hears one cell out.

    Args:
        talk: Where its messages come from.
        outputs: Where its outputs go.
        seconds: Until it is interrupted.
        most_bytes: What it may say before nobody listens any more.
    """

    def __init__(self, talk: Speaker, outputs: NotebookOutputs, seconds: float, most_bytes: int) -> None:
        self._talk = talk
        self._most_bytes = most_bytes
        self._outputs = outputs
        self._deadline = monotonic() + seconds
        self._is_interrupted = False
        self._bytes = 0
        self._errors: set[str] = set()

    def listen(self) -> Ran:
        """Return how the cell ran.

        Raises:
            Stopped: It is the last one that its process has run.
        """
        while True:
            message = self._talk.receive(self._deadline - monotonic())
            if message is not None and message.get("op") == "done":
                return self._conclude(message)
            if message is not None:
                self._take(message)
            if monotonic() >= self._deadline:
                self._stop_waiting()

    def _take(self, message: dict[str, Any]) -> None:
        self._bytes += weight(message.get("content"))
        if self._bytes > self._most_bytes:
            raise Stopped("output", "The cell sent more output than it may.")
        try:
            match message.get("op"):
                case "output":
                    kind = str(message.get("kind"))
                    self._outputs.add(kind, message.get("content"))
                    if kind == "error":
                        self._errors.add(message["content"]["ename"])
                case "cut":
                    self._outputs.cut()
                case _:
                    raise BadOutput("There is no such message.")
        except BadOutput as bad:
            raise Stopped("runtime-error", f"The kernel is not itself any more: {bad}") from bad

    def _stop_waiting(self) -> None:
        if self._is_interrupted:
            raise Stopped("time", "The cell ran too long and could not be interrupted.")
        self._is_interrupted = True
        self._talk.interrupt()
        self._deadline = monotonic() + INTERRUPT_SECONDS

    def _conclude(self, reply: dict[str, Any]) -> Ran:
        try:
            count = execution_count(reply.get("execution_count"))
            if self._is_interrupted:
                self._outputs.add("error", fault(OUT_OF_TIME, TOO_LONG))
                return Ran("time", count)
            if reply.get("status") != "error":
                return Ran("ok", count)
            if reply.get("ename") not in self._errors:
                lines = reply.get("traceback") or [SHOWTRACEBACK_DISABLED]
                self._outputs.add("error", {**reply, "traceback": lines})
            return Ran(_status_of(str(reply.get("ename"))), count)
        except BadOutput as bad:
            raise Stopped("runtime-error", f"The kernel is not itself any more: {bad}") from bad


def most_bytes(limits: RunLimits) -> int:
    """Return what one cell can say, results included, where the bounds of its outputs are kept."""
    return 2 * limits.cell_output_bytes + 64 * limits.cell_outputs + 4096


def _status_of(ename: str) -> RunStatus:
    return {"AssertionError": "failed", "MemoryError": "memory"}.get(ename, "runtime-error")  # type: ignore[return-value]
