"""What changes in place, on both sides at once: lists, dicts, sets, arrays and tables.

Each side keeps a table of the objects that both know. With every message goes the content of those that are
new or have changed since the last one, and the receiver changes its own objects in place. So an argument that
a function sorts is sorted, `f(x) is x` says what it would in one process, and a list that an object keeps
changes with it.
"""

from __future__ import annotations

import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from graders.referee.tables import pack_array, pack_column, pack_index, unpack_array, unpack_index
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
        kind = _kind(value)
        content = NOTHING
        try:
            # A container can hold itself; a table cannot, and only a look inside tells whether it is data.
            if kind not in _EMPTY and kind is not None:
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
        kind = _kind(value)
        assert kind is not None
        if kind not in _TABLES and len(value) > MAX_ITEMS:
            raise TooMuch("More items than may cross between a test and the code that it tests.")
        packer = self._packer()
        return kind, _CONTENTS[kind](packer, value), bytes(packer.blob)

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
        if kind in _EMPTY:
            value = _EMPTY[kind]()
            self._register(number, value)
            _FILL[kind](unpacker, value, packed)
        else:
            value = _MAKE[kind](unpacker, packed)
            self._register(number, value)

    def _update(self, number: int) -> None:
        kind, packed, unpacker = self._parts(number)
        value = self._shared[number].value
        if _kind(value) != kind:
            raise BadValue("An object has become another.")
        if kind in _EMPTY:
            _FILL[kind](unpacker, value, packed)
        else:
            _REPLACE[kind](value, _MAKE[kind](unpacker, packed))


_TABLES = frozenset({"array", "series", "frame"})
_EMPTY: dict[str, Callable[[], Any]] = {
    "list": list,
    "dict": dict,
    "set": set,
    "bytearray": bytearray,
    "deque": deque,
    "counter": Counter,
    "ordered": OrderedDict,
    "default": defaultdict,
}
_KINDS: dict[type, str] = {
    list: "list",
    dict: "dict",
    set: "set",
    bytearray: "bytearray",
    Counter: "counter",
    OrderedDict: "ordered",
    defaultdict: "default",
}


def _kind(value: object) -> str | None:
    """Return the name of the kind of thing that changes in place; None for anything else."""
    kind = type(value)
    if (name := _KINDS.get(kind)) is not None:
        return name
    if kind is deque:
        return "deque" if value.maxlen is None else None  # type: ignore[attr-defined]
    if (numpy := sys.modules.get("numpy")) is not None and kind is numpy.ndarray:
        return "array"
    if (pandas := sys.modules.get("pandas")) is not None and kind in (pandas.Series, pandas.DataFrame):
        return "series" if kind is pandas.Series else "frame"
    return None


def _pairs(packer: Packer, value: Any) -> Packed:
    return [packer.items(dict.keys(value)), packer.items(dict.values(value))]


def _fill_list(unpacker: Unpacker, value: list[Any], packed: Any) -> None:
    value[:] = unpacker.items(packed)


def _fill_dict(unpacker: Unpacker, value: dict[Any, Any], packed: Any) -> None:
    keys, items = (unpacker.items(part) for part in packed)
    value.clear()
    # A Counter's `update` would count, a dict's would forget an OrderedDict's order.
    for key, item in zip(keys, items, strict=True):
        value[key] = item  # noqa: PERF403


def _fill_default(unpacker: Unpacker, value: defaultdict[Any, Any], packed: Any) -> None:
    factory, pairs = packed
    value.default_factory = unpacker.unpack(factory)
    _fill_dict(unpacker, value, pairs)


def _fill_set(unpacker: Unpacker, value: set[Any], packed: Any) -> None:
    items = unpacker.items(packed)
    value.clear()
    value.update(items)


def _fill_bytes(unpacker: Unpacker, value: bytearray, packed: Any) -> None:
    value[:] = unpacker.bytes(packed)


def _fill_deque(unpacker: Unpacker, value: deque[Any], packed: Any) -> None:
    items = unpacker.items(packed)
    value.clear()
    value.extend(items)


_FILL: dict[str, Callable[[Unpacker, Any, Any], None]] = {
    "list": _fill_list,
    "dict": _fill_dict,
    "set": _fill_set,
    "bytearray": _fill_bytes,
    "deque": _fill_deque,
    "counter": _fill_dict,
    "ordered": _fill_dict,
    "default": _fill_default,
}


def _pack_series(packer: Packer, value: Any) -> Packed:
    return [packer.pack(value.name), pack_index(packer, value.index), pack_column(packer, value.array)]


def _pack_frame(packer: Packer, value: Any) -> Packed:
    # `iloc` would make a Series of each.
    columns = [pack_column(packer, column) for column in value._iter_column_arrays()]  # noqa: SLF001
    return [pack_index(packer, value.columns), pack_index(packer, value.index), columns]


def _pack_ndarray(packer: Packer, value: Any) -> Packed:
    return pack_array(packer, value)


_CONTENTS: dict[str, Callable[[Packer, Any], Packed]] = {
    "list": lambda packer, value: packer.items(value),
    "dict": _pairs,
    "set": lambda packer, value: packer.items(value),
    "bytearray": lambda packer, value: packer.bytes(value),
    "deque": lambda packer, value: packer.items(value),
    "counter": _pairs,
    "ordered": _pairs,
    "default": lambda packer, value: [packer.pack(value.default_factory), _pairs(packer, value)],
    "array": _pack_ndarray,
    "series": _pack_series,
    "frame": _pack_frame,
}


def _make_array(unpacker: Unpacker, packed: Any) -> Any:
    return unpack_array(unpacker, packed)


def _make_series(unpacker: Unpacker, packed: Any) -> Any:
    import pandas

    name, index, values = packed
    array = unpack_array(unpacker, values)
    return pandas.Series(
        array, index=unpack_index(unpacker, index), name=unpacker.unpack(name), dtype=array.dtype, copy=False
    )


def _make_frame(unpacker: Unpacker, packed: Any) -> Any:
    import pandas

    columns, index, values = packed
    rows = unpack_index(unpacker, index)
    arrays = [unpack_array(unpacker, value) for value in values]
    made = {
        place: pandas.Series(array, index=rows, dtype=array.dtype, copy=False)
        for place, array in enumerate(arrays)
    }
    frame = pandas.DataFrame(made, index=rows, columns=range(len(arrays)), copy=False)
    frame.columns = unpack_index(unpacker, columns)
    return frame


def _replace_array(value: Any, new: Any) -> None:
    if value.shape != new.shape or value.dtype != new.dtype:
        raise BadValue("An array has become another.")
    writable = value.flags.writeable
    value.flags.writeable = True
    value[...] = new
    value.flags.writeable = writable


def _replace_table(value: Any, new: Any) -> None:
    # What pandas' own methods with `inplace=True` end in.
    value._update_inplace(new)  # noqa: SLF001


_MAKE: dict[str, Callable[[Unpacker, Any], Any]] = {
    "array": _make_array,
    "series": _make_series,
    "frame": _make_frame,
}
_REPLACE: dict[str, Callable[[Any, Any], None]] = {
    "array": _replace_array,
    "series": _replace_table,
    "frame": _replace_table,
}
