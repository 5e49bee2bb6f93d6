"""Values of numpy and pandas that never change, by the names of their forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graders.referee.arrays import is_plain, pack_scalar, read_dtype, unpack_scalar
from graders.referee.columns import (
    extension_types,
    index_types,
    pack_extension,
    pack_index,
    unpack_extension,
    unpack_index,
)
from graders.referee.forms import pack_zone, read_zone
from graders.referee.values import Packed, Packer, Unpacker, exact


def form_of(library: Any, kind: type, value: Any) -> str | None:
    """Return the name of the form in which an object of one of `library`'s immutable types crosses."""
    if library.__name__ == "numpy":
        if kind is library.dtype or library.dtype in kind.__mro__:
            return "np.dtype" if value.kind != "O" and value.fields is None and is_plain(value) else None
        if vars(library).get(kind.__name__) is kind and issubclass(kind, library.generic):
            return "np.scalar" if is_plain(value.dtype) else None
        return None
    if kind in (library.Timestamp, library.Timedelta, library.Period):
        return f"pd.{kind.__name__}"
    if value is library.NaT or value is library.NA:
        return "pd.missing"
    if kind in index_types(library):
        return "pd.Index"
    if kind in extension_types(library):
        return "pd.array"
    if kind is library.Interval:
        return "pd.Interval"
    return None


def pack(packer: Packer, form: str, value: Any) -> list[Packed]:
    """Return the parts of a form."""
    return _PACK[form](packer, value)


def unpack(unpacker: Unpacker, form: str, parts: list[Any]) -> Any:
    """Return what a form stands for."""
    return _UNPACK[form](unpacker, *parts)


def _pack_timestamp(packer: Packer, value: Any) -> list[Packed]:
    return [int(value.asm8.view("i8")), value.unit, pack_zone(value.tzinfo), value.fold]


def _read_timestamp(unpacker: Unpacker, number: Any, unit: Any, zone: Any, fold: Any) -> Any:
    import numpy
    import pandas

    stamp = pandas.Timestamp(numpy.datetime64(exact(number, int), exact(unit, str))).as_unit(unit)
    if zone is None:
        return stamp.replace(fold=exact(fold, int))
    return stamp.tz_localize("UTC").tz_convert(read_zone(zone))


def _read_timedelta(unpacker: Unpacker, number: Any, unit: Any) -> Any:
    import numpy
    import pandas

    return pandas.Timedelta(numpy.timedelta64(exact(number, int), exact(unit, str))).as_unit(unit)


def _read_period(unpacker: Unpacker, ordinal: Any, frequency: Any) -> Any:
    import pandas

    return pandas.Period(ordinal=exact(ordinal, int), freq=exact(frequency, str))


def _read_missing(unpacker: Unpacker, name: Any) -> Any:
    import pandas

    return {"NaT": pandas.NaT, "NA": pandas.NA}[name]


def _read_interval(unpacker: Unpacker, left: Any, right: Any, closed: Any) -> Any:
    import pandas

    return pandas.Interval(unpacker.unpack(left), unpacker.unpack(right), closed=closed)


_PACK: dict[str, Callable[[Packer, Any], list[Packed]]] = {
    "np.dtype": lambda packer, value: [value.str],
    "np.scalar": pack_scalar,
    "pd.Timestamp": _pack_timestamp,
    "pd.Timedelta": lambda packer, value: [int(value.asm8.view("i8")), value.unit],
    "pd.Period": lambda packer, value: [value.ordinal, value.freqstr],
    "pd.missing": lambda packer, value: [str(value) if str(value) == "NaT" else "NA"],
    "pd.Interval": lambda packer, value: [*packer.items((value.left, value.right)), value.closed],
    "pd.Index": lambda packer, value: [pack_index(packer, value)],
    "pd.array": lambda packer, value: pack_extension(packer, value)[1:],
}

_UNPACK: dict[str, Callable[..., Any]] = {
    "np.dtype": lambda unpacker, text: read_dtype(text),
    "np.scalar": unpack_scalar,
    "pd.Timestamp": _read_timestamp,
    "pd.Timedelta": _read_timedelta,
    "pd.Period": _read_period,
    "pd.missing": _read_missing,
    "pd.Interval": _read_interval,
    "pd.Index": unpack_index,
    "pd.array": unpack_extension,
}
