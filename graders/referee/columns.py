"""Columns and indexes of tables on the wire: pandas' own arrays, with names, frequency, None and NaN."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from graders.referee.arrays import pack_numpy_array, unpack_numpy_array
from graders.referee.forms import pack_zone, read_zone
from graders.referee.values import BadValue, NotData, Packed, Packer, Unpacker, exact

MASKED = {"Int": "IntegerArray", "UInt": "IntegerArray", "Float": "FloatingArray", "boolean": "BooleanArray"}


def pack_array(packer: Packer, array: Any) -> Packed:
    """Return a numpy array or a pandas extension array as JSON.

    Raises:
        NotData: It is of a subclass, or of a kind that no other process could read.
    """
    import numpy

    return pack_numpy_array(packer, array) if type(array) is numpy.ndarray else pack_extension(packer, array)


def pack_column(packer: Packer, array: Any) -> Packed:
    """Return what is in a Series as JSON.

    Raises:
        NotData: It is of a kind that no other process could read.
    """
    return pack_array(packer, array.to_numpy() if type(array).__name__ == "NumpyExtensionArray" else array)


def unpack_array(unpacker: Unpacker, packed: Packed) -> Any:
    """Return a numpy array or a pandas extension array."""
    match packed:
        case ["pd.array", *parts]:
            return unpack_extension(unpacker, *parts)
    return unpack_numpy_array(unpacker, packed)


def pack_index(packer: Packer, index: Any) -> Packed:
    """Return an Index as JSON.

    Raises:
        NotData: It is of a subclass that is not pandas' own.
    """
    import pandas

    kind = type(index)
    if kind not in index_types(pandas):
        raise NotData(f"An index of type {kind.__name__} is no plain data.")
    if kind is pandas.RangeIndex:
        return ["range", packer.pack(index.name), index.start, index.stop, index.step]
    if kind is pandas.MultiIndex:
        levels = [pack_index(packer, level) for level in index.levels]
        codes = [pack_array(packer, code.astype("i8")) for code in index.codes]
        return ["multi", packer.items(index.names), levels, codes]
    frequency = getattr(index, "freqstr", None) if kind is not pandas.PeriodIndex else None
    return ["index", packer.pack(index.name), pack_column(packer, index.array), frequency]


def unpack_index(unpacker: Unpacker, packed: Packed) -> Any:
    """Return an Index."""
    import pandas

    match packed:
        case ["range", name, int(start), int(stop), int(step)]:
            return pandas.RangeIndex(start, stop, step, name=unpacker.unpack(name))
        case ["multi", list(names), list(levels), list(codes)]:
            return pandas.MultiIndex(
                levels=[unpack_index(unpacker, level) for level in levels],
                codes=[unpack_array(unpacker, code) for code in codes],
                names=unpacker.items(names),
            )
        case ["index", name, values, frequency]:
            array = unpack_array(unpacker, values)
            index = pandas.Index(array, dtype=array.dtype, name=unpacker.unpack(name), copy=False)
            if frequency is not None:
                index.freq = exact(frequency, str)
            return index
    raise BadValue("This is no index.")


def pack_extension(packer: Packer, array: Any) -> Packed:
    """Return one of pandas' own arrays as JSON.

    Raises:
        NotData: It is somebody else's.
    """
    import pandas

    kind = type(array).__name__
    if type(array) not in extension_types(pandas):
        raise NotData(f"An array of type {kind} is no plain data.")
    return ["pd.array", *_pack_extension(packer, array, kind)]


def _pack_extension(packer: Packer, array: Any, kind: str) -> list[Packed]:
    import numpy
    import pandas

    match kind:
        case "Categorical":
            codes, ordered = pack_array(packer, array.codes.copy()), bool(array.ordered)
            return ["categories", codes, pack_index(packer, array.categories), ordered]
        case "DatetimeArray" | "TimedeltaArray":
            zone = pack_zone(array.tz) if kind == "DatetimeArray" else None
            numbers = array.asi8
            return [kind, pack_array(packer, numbers), array.unit, zone]
        case "PeriodArray":
            return [kind, pack_array(packer, array.asi8), array.freqstr]
        case "IntervalArray":
            return [kind, pack_index(packer, array.left), pack_index(packer, array.right), array.closed]
        case "IntegerArray" | "FloatingArray" | "BooleanArray":
            mask = numpy.asarray(array.isna())
            values = array.to_numpy(dtype=array.dtype.numpy_dtype, na_value=array.dtype.type(0))
            return ["masked", str(array.dtype), pack_array(packer, values), pack_array(packer, mask)]
    missing = array.dtype.na_value is pandas.NA
    texts = [text if type(text) is str else None for text in array.to_numpy(dtype=object).tolist()]
    return ["text", array.dtype.storage, missing, texts]


def unpack_extension(unpacker: Unpacker, kind: str, *parts: Any) -> Any:
    """Return one of pandas' own arrays from the parts of its form."""
    return _READ_EXTENSION[kind](unpacker, *parts)


def _read_categories(unpacker: Unpacker, codes: Any, categories: Any, ordered: Any) -> Any:
    import pandas

    return pandas.Categorical.from_codes(
        unpack_array(unpacker, codes), unpack_index(unpacker, categories), ordered=exact(ordered, bool)
    )


def _read_dates(unpacker: Unpacker, numbers: Any, unit: Any, zone: Any) -> Any:
    import pandas

    values = unpack_array(unpacker, numbers).view(f"M8[{exact(unit, str)}]")
    index = pandas.DatetimeIndex(values)
    return (index if zone is None else index.tz_localize("UTC").tz_convert(read_zone(zone))).array


def _read_durations(unpacker: Unpacker, numbers: Any, unit: Any, zone: Any) -> Any:
    import pandas

    return pandas.TimedeltaIndex(unpack_array(unpacker, numbers).view(f"m8[{exact(unit, str)}]")).array


def _read_periods(unpacker: Unpacker, numbers: Any, frequency: Any) -> Any:
    import pandas

    values = unpack_array(unpacker, numbers)
    return pandas.PeriodIndex.from_ordinals(values, freq=exact(frequency, str)).array


def _read_intervals(unpacker: Unpacker, left: Any, right: Any, closed: Any) -> Any:
    import pandas

    sides = unpack_index(unpacker, left), unpack_index(unpacker, right)
    return pandas.arrays.IntervalArray.from_arrays(*sides, closed=closed)


def _read_masked(unpacker: Unpacker, name: Any, values: Any, mask: Any) -> Any:
    import pandas

    kind = next(MASKED[start] for start in MASKED if exact(name, str).startswith(start))
    array = getattr(pandas.arrays, kind)(unpack_array(unpacker, values), unpack_array(unpacker, mask))
    if str(array.dtype) != name:
        raise BadValue("The array is of another kind.")
    return array


def _read_texts(unpacker: Unpacker, storage: Any, missing: Any, texts: Any) -> Any:
    import numpy
    import pandas

    if not all(text is None or type(text) is str for text in texts):
        raise BadValue("These are no texts.")
    dtype = pandas.StringDtype(storage, na_value=pandas.NA if missing else numpy.nan)
    return pandas.array(texts, dtype=dtype)


_READ_EXTENSION: dict[str, Callable[..., Any]] = {
    "categories": _read_categories,
    "DatetimeArray": _read_dates,
    "TimedeltaArray": _read_durations,
    "PeriodArray": _read_periods,
    "IntervalArray": _read_intervals,
    "masked": _read_masked,
    "text": _read_texts,
}


@cache
def index_types(pandas: Any) -> tuple[type, ...]:
    """Return the kinds of index that cross."""
    return (
        *(pandas.Index, pandas.RangeIndex, pandas.MultiIndex, pandas.DatetimeIndex, pandas.TimedeltaIndex),
        *(pandas.PeriodIndex, pandas.CategoricalIndex, pandas.IntervalIndex),
    )


@cache
def extension_types(pandas: Any) -> tuple[type, ...]:
    """Return the kinds of array, other than numpy's, that cross."""
    arrays = pandas.arrays
    return (
        *(pandas.Categorical, arrays.DatetimeArray, arrays.TimedeltaArray, arrays.PeriodArray),
        *(arrays.IntervalArray, arrays.StringArray, arrays.BooleanArray, arrays.IntegerArray),
        *(arrays.FloatingArray, type(pandas.array(["a"], dtype="str"))),
    )
