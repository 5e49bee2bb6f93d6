"""Messages between processes of which one may be hostile: JSON, bytes and descriptors over a unix socket.

On the wire: length of the header and number of buffers (4 bytes each), length of each buffer (8 bytes each),
all big-endian, then the header as JSON and the buffers. Everything that the other side declares is checked
against the bounds of this side before it is acted on.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

MIB = 1 << 20

MAX_BYTES = 64 * MIB
MAX_HEADER_BYTES = 16 * MIB
MAX_BUFFERS = 4096
MAX_DEPTH = 64
"""Nesting of a header. Far below the depth at which Python's own JSON gives up."""

PREFIX = struct.Struct("!II")
SIZE = struct.Struct("!Q")
PARTS_AT_ONCE = 512
"""The system takes at most 1024 parts in one call."""


class ChannelClosed(EOFError):
    """The other side has gone, or this side has closed the channel."""


class BadMessage(ValueError):
    """What came is no message. The channel cannot be used any more."""


class MessageTooLarge(BadMessage):
    """A message passes the bound of this side, whether it was to be sent or was announced."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one side sent. The receiver owns the descriptors; they are closed when a program is executed."""

    header: dict[str, Any]
    buffers: tuple[bytes, ...] = ()
    fds: tuple[int, ...] = ()


class Channel:
    """One end of a connection. One thread may receive while others send.

    A text in a header can hold lone surrogates, as a text in Python can.

    Args:
        sock: A connected AF_UNIX stream; the channel owns it from here on.
        max_bytes: Bound of header and buffers together, of what is sent as of what is received.
        max_fds: Descriptors taken with one message. The system drops what is sent beyond; with 0, which is
            right towards anything hostile, none ever becomes this process's own.
    """

    def __init__(self, sock: socket.socket, *, max_bytes: int = MAX_BYTES, max_fds: int = 0) -> None:
        sock.setblocking(True)
        self.max_bytes = max_bytes
        self.max_fds = max_fds
        self._socket = sock
        self._sending = threading.Lock()
        self._incoming = _Incoming(max_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def fileno(self) -> int:
        """Return the descriptor to wait for, -1 once the channel is closed."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close this process's end. Copies of it in forked processes stay open."""
        self._incoming.drop()
        self._socket.close()

    def hang_up(self) -> None:
        """Close the connection for every process that holds a copy of this end."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.close()

    def send(
        self,
        message: dict[str, Any],
        *buffers: bytes | bytearray | memoryview,
        fds: Sequence[int] = (),
        timeout: float | None = None,
    ) -> None:
        """Send one message.

        Args:
            message: The header: what JSON can say.
            *buffers: Bytes that go with it as they are.
            fds: Descriptors that go with it; they stay open here as well.
            timeout: Seconds for all of it. Wait forever when None: never towards anything hostile, which may
                just not read.

        Raises:
            ValueError: The header is no JSON: it holds NaN, or an object.
            MessageTooLarge: It passes `max_bytes`; nothing was sent.
            TimeoutError: The other side does not read. The channel is closed then, as half a message may be
                out.
            ChannelClosed: The other side has gone.
        """
        views = [
            memoryview(part).cast("B") for part in _packed(message, buffers, self.max_bytes) if len(part)
        ]
        deadline = _deadline(timeout)
        with self._sending:
            try:
                self._transmit(views, fds, deadline)
            except TimeoutError:
                self.close()
                raise

    def receive(self, timeout: float | None = None) -> Message:
        """Return the next message.

        Args:
            timeout: Seconds for all of it. Wait forever when None.

        Raises:
            TimeoutError: It has not come in full. A later call goes on where this one stopped.
            BadMessage: What came is no message, or announces more than `max_bytes` (MessageTooLarge). The
                channel is closed then.
            ChannelClosed: The other side has gone, perhaps in the middle of a message.
        """
        deadline = _deadline(timeout)
        try:
            while (wanted := self._incoming.wanted()) is not None:
                self._incoming.advance(self._read(wanted, deadline))
            return self._incoming.take()
        except BadMessage:
            self.close()
            raise

    def _transmit(self, views: list[memoryview], fds: Sequence[int], deadline: float | None) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        while views:
            try:
                sent = self._socket.sendmsg(
                    views[:PARTS_AT_ONCE], rights, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
                )
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline)
                continue
            except OSError as error:
                raise ChannelClosed(f"The other side has gone: {error}") from error
            rights = []
            while views and sent >= len(views[0]):
                sent -= len(views.pop(0))
            if sent:
                views[0] = views[0][sent:]

    def _read(self, wanted: memoryview, deadline: float | None) -> int:
        while True:
            try:
                count = self._read_now(wanted)
            except BlockingIOError:
                self._wait(select.POLLIN, deadline)
                continue
            except OSError as error:
                raise ChannelClosed(f"The other side has gone: {error}") from error
            if count == 0:
                raise ChannelClosed("The other side has gone.")
            return count

    def _read_now(self, wanted: memoryview) -> int:
        # Descriptors come with the first byte of a message and nowhere else. Without room for them in the
        # call the system closes them itself.
        if self.max_fds == 0 or not self._incoming.at_start:
            return self._socket.recv_into(wanted, flags=socket.MSG_DONTWAIT)
        room = socket.CMSG_SPACE(self.max_fds * array.array("i").itemsize)
        count, ancillary, flags, _ = self._socket.recvmsg_into(
            [wanted], room, socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
        )
        self._incoming.fds += _descriptors(ancillary)
        if flags & socket.MSG_CTRUNC:
            raise BadMessage(f"More than {self.max_fds} descriptors came with one message.")
        return count

    def _wait(self, event: int, deadline: float | None) -> None:
        if (descriptor := self.fileno()) < 0:
            raise ChannelClosed("The channel is closed.")
        seconds = None if deadline is None else deadline - time.monotonic()
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(None if seconds is None else max(0, seconds) * 1000):
            raise TimeoutError("The other side did not answer in time.")


def channel_pair(*, max_bytes: int = MAX_BYTES, max_fds: int = 0) -> tuple[Channel, Channel]:
    """Return two channels, connected to each other."""
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    return (
        Channel(left, max_bytes=max_bytes, max_fds=max_fds),
        Channel(right, max_bytes=max_bytes, max_fds=max_fds),
    )


class _Incoming:
    """A message as far as it has come: its prefix, then the sizes of its buffers, then its content."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.fds: list[int] = []
        self._reset()

    def _reset(self) -> None:
        self.fds = []
        self._stages: list[bytearray] = [bytearray(PREFIX.size)]
        self._filled = 0

    @property
    def at_start(self) -> bool:
        return len(self._stages) == 1 and self._filled == 0

    def wanted(self) -> memoryview | None:
        """Return where the next bytes belong; None when the message is complete."""
        stage = self._stages[-1]
        if self._filled < len(stage):
            return memoryview(stage)[self._filled :]
        if len(self._stages) == 1:
            self._stages.append(bytearray(self._size_of_sizes()))
        elif len(self._stages) == 2:
            self._stages.append(bytearray(sum(self._sizes())))
        else:
            return None
        self._filled = 0
        return self.wanted()

    def advance(self, count: int) -> None:
        self._filled += count

    def take(self) -> Message:
        content = memoryview(self._stages[2])
        ends = list(_running_sums(self._sizes()))
        header = _header(bytes(content[: ends[0]]))
        buffers = tuple(bytes(content[start:end]) for start, end in pairwise(ends))
        message = Message(header, buffers, tuple(self.fds))
        self._reset()
        return message

    def drop(self) -> None:
        for descriptor in self.fds:
            os.close(descriptor)
        self._reset()

    def _size_of_sizes(self) -> int:
        header_bytes, buffers = PREFIX.unpack(self._stages[0])
        if header_bytes > min(self.max_bytes, MAX_HEADER_BYTES) or buffers > MAX_BUFFERS:
            raise MessageTooLarge(f"A header of {header_bytes} bytes with {buffers} buffers was announced.")
        return SIZE.size * int(buffers)

    def _sizes(self) -> list[int]:
        header_bytes, _ = PREFIX.unpack(self._stages[0])
        sizes = [header_bytes, *(size for (size,) in SIZE.iter_unpack(self._stages[1]))]
        if sum(sizes) > self.max_bytes:
            raise MessageTooLarge(f"{sum(sizes)} bytes were announced, {self.max_bytes} are allowed.")
        return sizes


def _packed(
    message: dict[str, Any], buffers: Sequence[bytes | bytearray | memoryview], max_bytes: int
) -> list[bytes | bytearray | memoryview]:
    header = json.dumps(message, allow_nan=False, separators=(",", ":")).encode("ascii")
    sizes = [memoryview(buffer).nbytes for buffer in buffers]
    if len(header) > MAX_HEADER_BYTES or len(buffers) > MAX_BUFFERS or len(header) + sum(sizes) > max_bytes:
        raise MessageTooLarge(
            f"A header of {len(header)} bytes with {sum(sizes)} bytes in {len(buffers)} buffers is too large."
        )
    prefix = PREFIX.pack(len(header), len(buffers)) + b"".join(SIZE.pack(size) for size in sizes)
    return [prefix + header, *buffers]


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"The header is no JSON: {error}") from error
    if not isinstance(header, dict):
        raise BadMessage("The header is no JSON object.")
    # Most headers have too few brackets to be deep.
    if text.count(b"[") + text.count(b"{") > MAX_DEPTH and _too_deep(header):
        raise BadMessage(f"The header is nested deeper than {MAX_DEPTH}.")
    return header


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _too_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.values()
            elif isinstance(item, list):
                inner += item
        level = inner
    return any(isinstance(item, dict | list) for item in level)


def _running_sums(sizes: Sequence[int]) -> Iterator[int]:
    total = 0
    for size in sizes:
        total += size
        yield total


def _descriptors(ancillary: Sequence[tuple[int, int, bytes]]) -> list[int]:
    found = array.array("i")
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(content[: len(content) - len(content) % found.itemsize])
    return list(found)


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout
