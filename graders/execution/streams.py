"""What a process of learner code says: a cell's messages, its `sys.stdout` and `sys.stderr`, raw writes."""

from __future__ import annotations

import fcntl
import io
import os
import signal
import threading
import time
from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from graders.forkserver.channel import Channel, MessageTooLarge

OUTPUT_KINDS = frozenset(
    {"stream", "display_data", "execute_result", "error", "update_display_data", "clear_output"}
)
CONCLUSIONS = frozenset({"error", "execute_result"})
"""What decides about a test: it still gets out when the cell has shown too much."""
FLUSH_CHARACTERS = 65_536
FLUSH_SECONDS = 0.2
NO_CELL = ""


def weight(content: object) -> int:
    """Return about how many bytes a message's content takes."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict):
        return sum(map(weight, content.values())) + 16 * len(content)
    if isinstance(content, list | tuple):
        return sum(map(weight, content)) + 8 * len(content)
    return 8


class Inbox(Protocol):
    """Where an outlet can lead to instead of another process."""

    def send(self, message: dict[str, Any]) -> None:
        """Take a message."""


class Outlet:
    """The way out of the process: takes messages of the cell that runs, as many as it may show.

    Messages of an earlier cell, say of a task that it left behind, are dropped, as nbclient does.
    """

    def __init__(self) -> None:
        self._channel: Channel | Inbox | None = None
        self._cell = NO_CELL
        self._bytes_left = self._outputs_left = self._conclusion_bytes_left = 0
        self._is_cut = False

    def connect(self, channel: Channel | Inbox) -> None:
        self._channel = channel
        self._pid = os.getpid()

    def open(self, cell: str, max_bytes: int, max_outputs: int) -> None:
        """Take messages of `cell` from here on."""
        self._cell = cell
        self._bytes_left = self._conclusion_bytes_left = max_bytes
        self._outputs_left = max_outputs
        self._is_cut = False

    def shut(self) -> None:
        self._cell = NO_CELL

    def takes(self, cell: str | None) -> bool:
        """Return whether text of `cell` would get out at all."""
        return not self._is_cut and cell == self._cell != NO_CELL

    def text(self, name: str, text: str, cell: str | None) -> None:
        """Send what was written to a stream, cut to what the cell may still show."""
        if not self.takes(cell):
            return
        kept = text[: max(0, self._bytes_left)]
        for start in range(0, len(kept), FLUSH_CHARACTERS):
            part = {"name": name, "text": kept[start : start + FLUSH_CHARACTERS]}
            self._bytes_left -= len(part["text"])
            self._send({"op": "output", "kind": "stream", "content": part})
        if len(kept) < len(text):
            self._cut()

    def message(self, kind: str, content: Any, cell: str | None) -> None:
        """Send an output; messages of other kinds go nowhere: nobody listens."""
        if kind not in OUTPUT_KINDS or cell != self._cell or cell == NO_CELL:
            return
        size = weight(content)
        if kind in CONCLUSIONS:
            self._conclusion_bytes_left -= size
            fits = self._conclusion_bytes_left >= 0
        else:
            self._bytes_left -= size
            self._outputs_left -= 1
            fits = not self._is_cut and self._bytes_left >= 0 and self._outputs_left >= 0
        if not fits:
            self._cut()
            return
        try:
            self._send({"op": "output", "kind": kind, "content": content})
        except MessageTooLarge:
            self._cut()

    def done(self, reply: dict[str, Any]) -> None:
        """Say that the cell has run."""
        self.shut()
        self._send({"op": "done", **reply})

    def _cut(self) -> None:
        if not self._is_cut:
            self._is_cut = True
            self._send({"op": "cut"})

    def _send(self, message: dict[str, Any]) -> None:
        # A process that a cell forked would break into what this one sends.
        if self._channel is None or os.getpid() != self._pid:
            return
        with _uninterrupted():
            self._channel.send(message)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put an interrupt off that comes meanwhile: it must leave no half message behind."""
    if threading.current_thread() is not threading.main_thread():
        # Interrupts come to the main thread.
        yield
        return
    interrupts: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _frame: interrupts.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if interrupts:
            signal.raise_signal(signal.SIGINT)


class RawWrites:
    """Catches what is written to a descriptor behind Python's back: by C code, by a subprocess.

    It goes to a file in memory and not to a pipe: no thread has to empty it, so the process can be forked,
    and nobody who writes to it ever waits.
    """

    def __init__(self, name: str, descriptor: int) -> None:
        self._name = name
        self._target = descriptor
        self._file = -1
        self._read = 0

    def catch(self) -> None:
        """Start with a file of this process's own: after a fork, its parent's is still its parent's."""
        if self._file >= 0:
            os.close(self._file)
        self._file = os.memfd_create(self._name)
        # Each writer has its place at the end; the position is then free for asking how long the file is.
        fcntl.fcntl(self._file, fcntl.F_SETFL, os.O_APPEND)
        os.dup2(self._file, self._target)
        self._read = 0
        self._decoder = getincrementaldecoder("utf-8")(errors="replace")

    def has_new(self) -> bool:
        return self._file >= 0 and os.lseek(self._file, 0, os.SEEK_END) > self._read

    def take(self, max_bytes: int) -> str:
        """Return what was written since the last call; of more than `max_bytes` only the start."""
        end = os.lseek(self._file, 0, os.SEEK_END)
        content = os.pread(self._file, min(end - self._read, max_bytes), self._read)
        self._read = end
        return self._decoder.decode(content)


class CellStream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of a cell, as ipykernel has them, without its thread."""

    encoding = "UTF-8"

    MAX_RAW_BYTES = 16 << 20
    """Of what was written at once behind Python's back; no cell may show as much."""

    def __init__(self, name: str, descriptor: int, outlet: Outlet) -> None:
        self.name = name
        self._outlet = outlet
        self._raw = RawWrites(name, descriptor)
        self._parts: list[str] = []
        self._size = 0
        self._flushed_at = 0.0
        self._cell: ContextVar[str] = ContextVar("cell")
        self._newest_cell = NO_CELL
        self._elsewhere = -1
        self._descriptor = descriptor
        self._pid = os.getpid()

    def start(self) -> None:
        """Catch what this very process writes."""
        self._raw.catch()
        self._pid = os.getpid()
        self._parts, self._size = [], 0
        if self._elsewhere < 0:
            self._elsewhere = os.open(os.devnull, os.O_WRONLY)

    def set_parent(self, parent: dict[str, Any]) -> None:
        """Belong to the cell of a request, in this context and in new threads."""
        self._newest_cell = parent["header"]["msg_id"]
        self._cell.set(self._newest_cell)

    def fileno(self) -> int:
        # Where ipykernel has the terminal that started it: who writes there is not heard.
        return self._elsewhere

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if os.getpid() != self._pid:
            # A process that a cell forked is heard like any other.
            os.write(self._descriptor, text.encode("utf-8", "replace"))
            return len(text)
        if self._raw.has_new():
            self.collect()
        # A thread has no context of its own, and belongs to the cell that runs.
        if self._outlet.takes(self._cell.get(self._newest_cell)):
            self._parts.append(text)
            self._size += len(text)
            if self._size > FLUSH_CHARACTERS or time.monotonic() - self._flushed_at > FLUSH_SECONDS:
                self.flush()
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def collect(self) -> None:
        """Take in what was written behind Python's back."""
        if self._raw.has_new():
            text = self._raw.take(self.MAX_RAW_BYTES)
            self._parts.append(text)
            self._size += len(text)

    def flush(self) -> None:
        self.collect()
        self._flushed_at = time.monotonic()
        if self._parts:
            parts, self._parts, self._size = self._parts, [], 0
            self._outlet.text(self.name, "".join(parts), self._newest_cell)
