"""What changes in place, on both sides at once: lists, dicts, sets, arrays and tables.

Each side keeps a table of the objects that both know. With every message goes the content of those that are
new or have changed since the last one, and the receiver changes its own objects in place. So an argument that
a function sorts is sorted, `f(x) is x` says what it would in one process, and a list that an object keeps
changes with it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from graders.referee.contents import CONTENTS, EMPTY, FILL, MAKE, REPLACE, TABLES, kind_of
from graders.referee.values import BadValue, NotData, Packed, Packer, Unpacker, exact

SHARED = "@"
MAX_SHARED = 20_000
MAX_ITEMS = 1_000_000
MAX_MESSAGE_BYTES = 48 << 20
_UNREFERENCED = 2
"""What `sys.getrefcount` says of an object that only the table holds."""

Content = tuple[str, Packed, bytes]
NOTHING: Content = ("", None, b"")


class TooMuch(ValueError):
    """A value is larger than what may cross at once."""


@dataclass(slots=True)
class _Shared:
    value: Any
    content: Content


class Sharing:
    """The common objects, as this side has them.

    Args:
        first: The first number for an object of this side; the other side begins with the other of 0 and 1.
        refer: Turns an object that is no data into JSON.
        resolve: Turns that into an object again.
    """

    def __init__(
        self,
        first: int,
        refer: Callable[[object, Packer], Packed],
        resolve: Callable[[list[Any], Unpacker], object],
    ) -> None:
        self._next = first
        self._others = 1 - first % 2
        self._refer_opaque = refer
        self._resolve_opaque = resolve
        self._shared: dict[int, _Shared] = {}
        self._numbers: dict[int, int] = {}
        self._pending: list[int] = []
        self._incoming: dict[int, Any] = {}
        self._blob: memoryview = memoryview(b"")

    def write(self, value: object) -> tuple[dict[str, Any], bytes]:
        """Return a message with `value`, and with all changes since the last message.

        Raises:
            TooMuch: It is too large.
        """
        first_new, before = self._next, list[tuple[_Shared, Content]]()
        try:
            return self._written(value, before)
        except BaseException:
            # Nothing of it is sent, so the other side goes on knowing what it knew.
            self.forget(
                [number for number in self._shared if number % 2 != self._others and number >= first_new]
            )
            for shared, content in before:
                shared.content = content
            raise

    def _written(self, value: object, before: list[tuple[_Shared, Content]]) -> tuple[dict[str, Any], bytes]:
        self._pending = []
        packer = self._packer()
        body = packer.pack(value)
        nodes: dict[str, Any] = {}
        blob = packer.blob
        for number, content in self._new_contents(before):
            kind, packed, part = content
            nodes[str(number)] = [kind, packed, len(blob), len(part)]
            blob += part
            if len(blob) > MAX_MESSAGE_BYTES or len(self._shared) > MAX_SHARED:
                raise TooMuch("More data than may cross between a test and the code that it tests.")
        return {"value": body, "nodes": nodes}, bytes(blob)

    def read(self, header: dict[str, Any], blob: bytes) -> Any:
        """Take over the changes in a message, and return its value.

        Raises:
            BadValue: It makes no sense.
        """
        self._blob = memoryview(blob)
        self._incoming = {
            self._number(text): part for text, part in exact(header.get("nodes", {}), dict).items()
        }
        known = [number for number in self._incoming if number in self._shared]
        for number in [number for number in self._incoming if number not in self._shared]:
            self._create(number)
        for number in known:
            self._update(number)
        value = Unpacker(self._blob, self._resolve).unpack(header.get("value"))
        for number in self._incoming:
            shared = self._shared[number]
            shared.content = self._content(shared.value)
        # What its content holds may be new to the other side: nothing can be, as all of it came from there.
        self._pending = []
        self._incoming = {}
        return value

    def forget(self, numbers: list[int]) -> None:
        """Drop objects that the other side has dropped."""
        for number in numbers:
            if (shared := self._shared.pop(number, None)) is not None:
                self._numbers.pop(id(shared.value), None)

    def sweep(self) -> list[int]:
        """Drop objects that nobody uses on this side any more, and return their numbers."""
        unused = [
            number
            for number, shared in self._shared.items()
            if sys.getrefcount(shared.value) <= _UNREFERENCED
        ]
        self.forget(unused)
        return unused

    def _packer(self) -> Packer:
        packer = Packer(lambda value: self._refer(value, packer))
        return packer

    def _refer(self, value: object, packer: Packer) -> Packed:
        if (number := self._numbers.get(id(value))) is not None:
            return [SHARED, number]
        kind = kind_of(value)
        content = NOTHING
        try:
            # A container can hold itself; a table cannot, and only a look inside tells whether it is data.
            if kind not in EMPTY and kind is not None:
                content = self._content(value)
        except NotData:
            kind = None
        if kind is None:
            return self._refer_opaque(value, packer)
        number = self._next
        self._next += 2
        self._register(number, value, content)
        self._pending.append(number)
        return [SHARED, number]

    def _register(self, number: int, value: Any, content: Content = NOTHING) -> None:
        self._shared[number] = _Shared(value, content)
        self._numbers[id(value)] = number

    def _new_contents(self, before: list[tuple[_Shared, Content]]) -> Iterator[tuple[int, Content]]:
        new = set(self._pending)
        for number, shared in list(self._shared.items()):
            if number not in new and (content := self._content(shared.value)) != shared.content:
                before.append((shared, shared.content))
                shared.content = content
                yield number, content
        while self._pending:
            number = self._pending.pop()
            shared = self._shared[number]
            if shared.content is NOTHING:
                shared.content = self._content(shared.value)
            yield number, shared.content

    def _content(self, value: Any) -> Content:
        kind = kind_of(value)
        assert kind is not None
        if kind not in TABLES and len(value) > MAX_ITEMS:
            raise TooMuch("More items than may cross between a test and the code that it tests.")
        packer = self._packer()
        return kind, CONTENTS[kind](packer, value), bytes(packer.blob)

    def _number(self, text: str) -> int:
        number = int(text)
        if number not in self._shared and (number % 2 != self._others or len(self._shared) > MAX_SHARED):
            raise BadValue("There is no such object.")
        return number

    def _resolve(self, packed: list[Any]) -> object:
        if packed[0] != SHARED:
            return self._resolve_opaque(packed, Unpacker(self._blob, self._resolve))
        number = exact(packed[1], int)
        if number not in self._shared:
            self._create(number)
        return self._shared[number].value

    def _parts(self, number: int) -> tuple[str, Any, Unpacker]:
        kind, packed, start, size = self._incoming[number]
        part = Unpacker(self._blob, self._resolve).bytes([start, size])
        return exact(kind, str), packed, Unpacker(part, self._resolve)

    def _create(self, number: int) -> None:
        if number in self._shared:
            return
        if number not in self._incoming:
            raise BadValue("An object is missing.")
        kind, packed, unpacker = self._parts(number)
        if kind in EMPTY:
            value = EMPTY[kind]()
            self._register(number, value)
            FILL[kind](unpacker, value, packed)
        else:
            value = MAKE[kind](unpacker, packed)
            self._register(number, value)

    def _update(self, number: int) -> None:
        kind, packed, unpacker = self._parts(number)
        value = self._shared[number].value
        if kind_of(value) != kind:
            raise BadValue("An object has become another.")
        if kind in EMPTY:
            FILL[kind](unpacker, value, packed)
        else:
            REPLACE[kind](value, MAKE[kind](unpacker, packed))
