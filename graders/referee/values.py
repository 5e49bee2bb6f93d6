"""Values that cross between a test and a learner's process: exactly what can be checked to be data.

A value is JSON and bytes (`Packer`), and becomes an equal value of the same types again (`Unpacker`), or it
is refused. Only exact types count: an object of a subclass can have an equality of its own. The encoding is
our own because JSON has neither tuples nor NaN, pickle runs code, and Arrow refuses mixed columns and makes
one thing of None and NaN.

What changes in place (lists, tables) and what is no data goes through `refer`: see graders.referee.sharing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from graders.referee.forms import FORMS, PLAIN_TYPES, READERS, BadValue, NotData, Packed, exact, is_plain_type

__all__ = ["PLAIN_TYPES", "BadValue", "NotData", "Packed", "Packer", "Unpacker", "exact"]

MAX_DEPTH = 40
"""Nesting of tuples and frozensets. Everything else is flat on the wire."""
PLAIN_INTEGER_BITS = 64


class Packer:
    """Turns values into JSON, and collects their bytes in `blob`.

    Args:
        refer: Turns anything that is no immutable data into JSON. Without it such a value raises NotData.
    """

    def __init__(self, refer: Callable[[object], Packed] | None = None) -> None:
        self.blob = bytearray()
        self._refer = refer
        self._depth = 0

    def pack(self, value: object) -> Packed:
        """Return `value` as JSON.

        Raises:
            NotData: It is none, and there is no `refer` to help.
        """
        kind = type(value)
        if kind is str or kind is bool or value is None:
            return value
        if kind is int:
            number: int = value  # type: ignore[assignment]
            return number if number.bit_length() < PLAIN_INTEGER_BITS else ["int", hex(number)]
        if kind is float:
            return value if value - value == 0 else ["float", repr(value)]  # type: ignore[operator]
        if self._refer is None:
            if (packed := self._pack_form(kind, value)) is None:
                raise NotData(f"An object of type {kind.__name__} is no plain data.")
            return packed
        try:
            packed = self._pack_form(kind, value)
        except NotData:
            packed = None
        return self._refer(value) if packed is None else packed

    def bytes(self, content: bytes | bytearray | memoryview) -> list[int]:
        """Keep `content` beside the JSON and return what stands for it."""
        start = len(self.blob)
        self.blob += content
        return [start, len(self.blob) - start]

    def items(self, values: Any) -> list[Packed]:
        """Return each of `values` as JSON."""
        pack = self.pack
        return [pack(value) for value in values]

    def _pack_form(self, kind: type, value: Any) -> Packed | None:
        if kind in (tuple, frozenset):
            return self._nested(kind, value)
        if (form := FORMS.get(kind)) is not None:
            return [form[0], *form[1](self, value)]
        # `kind` can be a learner's, and a class may say anything of itself; exact identity is what counts.
        for library, tables in _library_forms():
            if (table_form := tables.form_of(library, kind, value)) is not None:
                return [table_form, *tables.pack(self, table_form, value)]
        if kind is type and is_plain_type(value):
            return ["type", value.__name__]
        return None

    def _nested(self, kind: type, value: Any) -> Packed:
        if self._depth >= MAX_DEPTH:
            raise NotData(f"Tuples are nested deeper than {MAX_DEPTH}.")
        self._depth += 1
        try:
            return ["tuple" if kind is tuple else "frozenset", *self.items(value)]
        finally:
            self._depth -= 1


class Unpacker:
    """Turns JSON back into values.

    Args:
        blob: The bytes that came with it.
        resolve: Returns what a form stands for that `refer` of the other side made.
    """

    def __init__(
        self, blob: bytes | memoryview, resolve: Callable[[list[Any]], object] | None = None
    ) -> None:
        self._blob = memoryview(blob)
        self._resolve = resolve

    def unpack(self, packed: Packed) -> Any:
        """Return the value.

        Raises:
            BadValue: There is none.
        """
        kind = type(packed)
        if kind is str or kind is int or kind is float or kind is bool or packed is None:
            return packed
        if kind is not list or not packed or type(packed[0]) is not str:
            raise BadValue("This stands for no value.")
        try:
            return self._unpack_form(packed)
        except BadValue:
            raise
        except Exception as error:
            # Constructors that are given nonsense raise anything; none of them runs code of the other side.
            raise BadValue(f"{packed[0]} cannot be read: {type(error).__name__}: {error}") from error

    def bytes(self, place: Any) -> memoryview:
        """Return the bytes that `Packer.bytes` kept."""
        start, size = place
        if (
            type(start) is not int
            or type(size) is not int
            or not 0 <= start <= start + size <= len(self._blob)
        ):
            raise BadValue("Bytes are missing.")
        return self._blob[start : start + size]

    def items(self, packed: Any) -> list[Any]:
        """Return the values of a list of JSON."""
        if type(packed) is not list:
            raise BadValue("A list was expected.")
        unpack = self.unpack
        return [unpack(item) for item in packed]

    def _unpack_form(self, packed: list[Any]) -> Any:
        name, *parts = packed
        if (reader := READERS.get(name)) is not None:
            return reader(self, parts)
        if name.startswith(("np.", "pd.")):
            from graders.referee import tables

            return tables.unpack(self, name, parts)
        if self._resolve is None:
            raise BadValue(f"There is no form {name!r}.")
        return self._resolve(packed)


def _library_forms() -> list[tuple[Any, Any]]:
    """Return numpy and pandas as far as this process has them, with the module that knows their values."""
    if "numpy" not in sys.modules:
        return []
    from graders.referee import tables

    return [(sys.modules[name], tables) for name in ("numpy", "pandas") if name in sys.modules]
