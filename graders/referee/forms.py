"""Python's own immutable values by the names of their forms: numbers, bytes, dates, paths, plain types."""

from __future__ import annotations

import datetime
import fractions
import pathlib
import uuid
import zoneinfo
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graders.referee.values import Packer, Unpacker

Packed = Any
"""JSON: None, bool, int, finite float and str stand for themselves; a list begins with the name of a form."""


class NotData(TypeError):
    """A value is no plain data; it can only cross as a handle."""


class BadValue(ValueError):
    """What came from the other process stands for no value."""


def exact(value: Any, kind: type) -> Any:
    """Return `value` if its type is exactly `kind`.

    Raises:
        BadValue: It is not.
    """
    if type(value) is not kind:
        raise BadValue(f"{kind.__name__} was expected.")
    return value


PLAIN_TYPES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *(bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, slice),
        *(object, type, type(None), type(...)),
    )
}
"""Types that cross as themselves: what they do is the same on both sides."""


def is_plain_type(value: Any) -> bool:
    """Return whether a class crosses as itself."""
    return value is type(None) or PLAIN_TYPES.get(value.__name__) is value


def pack_zone(zone: datetime.tzinfo | None) -> Packed:
    """Return a time zone as JSON.

    Raises:
        NotData: It is an object of somebody's own.
    """
    if zone is None:
        return None
    if type(zone) is zoneinfo.ZoneInfo and zone.key is not None:
        return ["zone", zone.key]
    if type(zone) is datetime.timezone:
        own: Any = zone
        offset, *name = own.__getinitargs__()
        return ["offset", offset.days, offset.seconds, offset.microseconds, *name]
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
        case ["offset", int(days), int(seconds), int(microseconds), str(name)]:
            return datetime.timezone(datetime.timedelta(days, seconds, microseconds), name)
    raise BadValue("There is no such time zone.")


def _pack_datetime(packer: Packer, value: datetime.datetime) -> list[Packed]:
    naive = value.replace(tzinfo=None)
    return [naive.isoformat(), value.fold, pack_zone(value.tzinfo)]


def _pack_time(packer: Packer, value: datetime.time) -> list[Packed]:
    return [value.replace(tzinfo=None).isoformat(), value.fold, pack_zone(value.tzinfo)]


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


FORMS: dict[type, tuple[str, Callable[[Packer, Any], list[Packed]]]] = {
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
    datetime.timezone: ("tz", lambda packer, value: [pack_zone(value)]),
    zoneinfo.ZoneInfo: ("tz", lambda packer, value: [pack_zone(value)]),
    Decimal: ("decimal", lambda packer, value: [str(value)]),
    fractions.Fraction: (
        "fraction",
        lambda packer, value: packer.items((value.numerator, value.denominator)),
    ),
    uuid.UUID: ("uuid", lambda packer, value: [value.hex]),
    pathlib.PosixPath: ("path", lambda packer, value: [str(value)]),
    pathlib.PurePosixPath: ("pure-path", lambda packer, value: [str(value)]),
}
"""By exact type: the name of its form, and what gives the parts."""

READERS: dict[str, Callable[[Unpacker, list[Any]], Any]] = {
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
"""By the name of a form: what makes the value of its parts."""
