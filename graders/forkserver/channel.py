"""Messages between processes of which one may be hostile, with descriptors, over a unix socket."""

from __future__ import annotations

import array
import contextlib
import select
import socket
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from graders.forkserver.framing import (
    MAX_BYTES,
    MAX_DEPTH,
    MIB,
    BadMessage,
    Incoming,
    Message,
    MessageTooLarge,
    packed,
)

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MIB",
    "BadMessage",
    "Channel",
    "ChannelClosed",
    "Message",
    "MessageTooLarge",
    "channel_pair",
]

PARTS_AT_ONCE = 512
"""The system takes at most 1024 parts in one call."""


class ChannelClosed(EOFError):
    """The other side has gone, or this side has closed the channel."""


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
        self._incoming = Incoming(max_bytes)

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
        views = [memoryview(part).cast("B") for part in packed(message, buffers, self.max_bytes) if len(part)]
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


def _descriptors(ancillary: Sequence[tuple[int, int, bytes]]) -> list[int]:
    found = array.array("i")
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(content[: len(content) - len(content) % found.itemsize])
    return list(found)


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout
