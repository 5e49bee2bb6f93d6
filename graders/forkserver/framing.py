"""What a message looks like on the wire: JSON and bytes, with every size announced and bounded.

Length of the header and number of buffers (4 bytes each), length of each buffer (8 bytes each), all
big-endian, then the header as JSON and the buffers. Everything that the other side announces is checked
against the bounds of this side before it is acted on.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

MIB = 1 << 20

MAX_BYTES = 64 * MIB
MAX_HEADER_BYTES = 16 * MIB
MAX_BUFFERS = 4096
MAX_DEPTH = 64
"""Nesting of a header. Far below the depth at which Python's own JSON gives up."""

PREFIX = struct.Struct("!II")
SIZE = struct.Struct("!Q")


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


class Incoming:
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


def packed(
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
