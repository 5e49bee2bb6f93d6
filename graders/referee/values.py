"""Values that cross between a test and a learner's process: exactly what can be checked to be data.

A value is JSON and bytes (`Packer`), and becomes an equal value of the same types again (`Unpacker`), or it
is refused. Only exact types count: an object of a subclass can have an equality of its own. The encoding is
our own because JSON has neither tuples nor NaN, pickle runs code, and Arrow refuses mixed columns and makes
one thing of None and NaN.

What changes in place (lists, tables) and what is no data goes through `refer`: see graders.referee.sharing.
"""

from __future__ import annotations

import datetime
import fractions
import pathlib
import sys
import uuid
import zoneinfo
from collections.abc import Callable
from decimal import Decimal
from typing import Any

MAX_DEPTH = 40
"""Nesting of tuples and frozensets. Everything else is flat on the wire."""
PLAIN_INTEGER_BITS = 64

Packed = Any
"""JSON: None, bool, int, finite float and str stand for themselves; a list begins with the name of a form."""


class NotData(TypeError):
    """A value is no plain data; it can only cross as a handle."""


class BadValue(ValueError):
    """What came from the other process stands for no value."""


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
        if (form := _FORMS.get(kind)) is not None:
            return [form[0], *form[1](self, value)]
        # `kind` can be a learner's, and a class may say anything of itself; exact identity is what counts.
        for library, tables in _library_forms():
            if (table_form := tables.form_of(library, kind, value)) is not None:
                return [table_form, *tables.pack(self, table_form, value)]
        if kind is type and _is_plain_type(value):
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
        if (reader := _READERS.get(name)) is not None:
            return reader(self, parts)
        if name.startswith(("np.", "pd.")):
            from graders.referee import tables

            return tables.unpack(self, name, parts)
        if self._resolve is None:
            raise BadValue(f"There is no form {name!r}.")
        return self._resolve(packed)


def exact(value: Any, kind: type) -> Any:
    """Return `value` if its type is exactly `kind`.

    Raises:
        BadValue: It is not.
    """
    if type(value) is not kind:
        raise BadValue(f"{kind.__name__} was expected.")
    return value


def _library_forms() -> list[tuple[Any, Any]]:
    """Return numpy and pandas as far as this process has them, with the module that knows their values."""
    if "numpy" not in sys.modules:
        return []
    from graders.referee import tables

    return [(sys.modules[name], tables) for name in ("numpy", "pandas") if name in sys.modules]


def _is_plain_type(value: Any) -> bool:
    return value is type(None) or PLAIN_TYPES.get(value.__name__) is value


PLAIN_TYPES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *(bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, slice),
        *(object, type, type(None), type(...)),
    )
}
"""Types that cross as themselves: what they do is the same on both sides."""


def _zone(packer: Packer, zone: datetime.tzinfo | None) -> Packed:
    if zone is None:
        return None
    if type(zone) is zoneinfo.ZoneInfo and zone.key is not None:
        return ["zone", zone.key]
    if type(zone) is datetime.timezone:
        offset = zone.utcoffset(None)
        return ["offset", offset.days, offset.seconds, offset.microseconds]
    raise NotData("This time zone is no plain data.")


def read_zone(packed: Packed) -> datetime.tzinfo | None:
    """Return the time zone of a date.

    Raises:
        BadValue: There is none like it.
    """
    match packed:
        case None:
            return None
        case ["zone", str(key)]:
            return zoneinfo.ZoneInfo(key)
        case ["offset", int(days), int(seconds), int(microseconds)]:
            offset = datetime.timedelta(days, seconds, microseconds)
            return datetime.UTC if not offset else datetime.timezone(offset)
    raise BadValue("There is no such time zone.")


def pack_zone(packer: Packer, zone: datetime.tzinfo | None) -> Packed:
    """Return a time zone as JSON.

    Raises:
        NotData: It is an object of somebody's own.
    """
    return _zone(packer, zone)


def _pack_datetime(packer: Packer, value: datetime.datetime) -> list[Packed]:
    naive = value.replace(tzinfo=None)
    return [naive.isoformat(), value.fold, _zone(packer, value.tzinfo)]


def _pack_time(packer: Packer, value: datetime.time) -> list[Packed]:
    return [value.replace(tzinfo=None).isoformat(), value.fold, _zone(packer, value.tzinfo)]


def _read_datetime(unpacker: Unpacker, parts: list[Any]) -> datetime.datetime:
    text, fold, zone = parts
    return datetime.datetime.fromisoformat(text).replace(fold=fold, tzinfo=read_zone(zone))


def _read_time(unpacker: Unpacker, parts: list[Any]) -> datetime.time:
    text, fold, zone = parts
    return datetime.time.fromisoformat(text).replace(fold=fold, tzinfo=read_zone(zone))


def _read_float(unpacker: Unpacker, parts: list[Any]) -> float:
    (text,) = parts
    if text not in ("nan", "inf", "-inf"):
        raise BadValue("This is no float.")
    return float(text)


def _read_complex(unpacker: Unpacker, parts: list[Any]) -> complex:
    real, imaginary = unpacker.items(parts)
    return complex(exact(real, float), exact(imaginary, float))


_FORMS: dict[type, tuple[str, Callable[[Packer, Any], list[Packed]]]] = {
    complex: ("complex", lambda packer, value: packer.items((value.real, value.imag))),
    bytes: ("bytes", lambda packer, value: [packer.bytes(value)]),
    range: ("range", lambda packer, value: packer.items((value.start, value.stop, value.step))),
    slice: ("slice", lambda packer, value: packer.items((value.start, value.stop, value.step))),
    type(...): ("...", lambda packer, value: []),
    type(NotImplemented): ("not-implemented", lambda packer, value: []),
    datetime.datetime: ("datetime", _pack_datetime),
    datetime.date: ("date", lambda packer, value: [value.isoformat()]),
    datetime.time: ("time", _pack_time),
    datetime.timedelta: ("timedelta", lambda packer, value: [value.days, value.seconds, value.microseconds]),
    datetime.timezone: ("tz", lambda packer, value: [_zone(packer, value)]),
    zoneinfo.ZoneInfo: ("tz", lambda packer, value: [_zone(packer, value)]),
    Decimal: ("decimal", lambda packer, value: [str(value)]),
    fractions.Fraction: (
        "fraction",
        lambda packer, value: packer.items((value.numerator, value.denominator)),
    ),
    uuid.UUID: ("uuid", lambda packer, value: [value.hex]),
    pathlib.PosixPath: ("path", lambda packer, value: [str(value)]),
    pathlib.PurePosixPath: ("pure-path", lambda packer, value: [str(value)]),
}

_READERS: dict[str, Callable[[Unpacker, list[Any]], Any]] = {
    "int": lambda unpacker, parts: int(exact(parts[0], str), 16),
    "float": _read_float,
    "complex": _read_complex,
    "bytes": lambda unpacker, parts: bytes(unpacker.bytes(parts[0])),
    "tuple": lambda unpacker, parts: tuple(unpacker.items(parts)),
    "frozenset": lambda unpacker, parts: frozenset(unpacker.items(parts)),
    "range": lambda unpacker, parts: range(*(exact(part, int) for part in unpacker.items(parts))),
    "slice": lambda unpacker, parts: slice(*unpacker.items(parts)),
    "...": lambda unpacker, parts: ...,
    "not-implemented": lambda unpacker, parts: NotImplemented,
    "datetime": _read_datetime,
    "date": lambda unpacker, parts: datetime.date.fromisoformat(parts[0]),
    "time": _read_time,
    "timedelta": lambda unpacker, parts: datetime.timedelta(*(exact(part, int) for part in parts)),
    "tz": lambda unpacker, parts: read_zone(parts[0]),
    "decimal": lambda unpacker, parts: Decimal(exact(parts[0], str)),
    "fraction": lambda unpacker, parts: fractions.Fraction(
        *(exact(part, int) for part in unpacker.items(parts))
    ),
    "uuid": lambda unpacker, parts: uuid.UUID(hex=exact(parts[0], str)),
    "path": lambda unpacker, parts: pathlib.PosixPath(exact(parts[0], str)),
    "pure-path": lambda unpacker, parts: pathlib.PurePosixPath(exact(parts[0], str)),
    "type": lambda unpacker, parts: PLAIN_TYPES[parts[0]],
}
