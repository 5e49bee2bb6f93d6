"""numpy's and pandas' values on the wire: dtype, index, names, frequency, None and NaN all stay."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from graders.referee.values import BadValue, NotData, Packed, Packer, Unpacker, exact, pack_zone, read_zone

if TYPE_CHECKING:
    import numpy

DTYPE = re.compile(r"[<>|=](b1|[iu][1248]|f(2|4|8|16)|c(8|16|32)|[SU]\d{1,7}|[mM]8(\[\d*[a-zA-Z]+\])?)")
MAX_SIDE = 2**40

MASKED = {"Int": "IntegerArray", "UInt": "IntegerArray", "Float": "FloatingArray", "boolean": "BooleanArray"}


def form_of(library: Any, kind: type, value: Any) -> str | None:
    """Return the name of the form in which an object of one of `library`'s immutable types crosses."""
    if library.__name__ == "numpy":
        if kind is library.dtype or library.dtype in kind.__mro__:
            return "np.dtype" if value.kind != "O" and value.fields is None and _is_plain(value) else None
        if vars(library).get(kind.__name__) is kind and issubclass(kind, library.generic):
            return "np.scalar" if _is_plain(value.dtype) else None
        return None
    if kind in (library.Timestamp, library.Timedelta, library.Period):
        return f"pd.{kind.__name__}"
    if value is library.NaT or value is library.NA:
        return "pd.missing"
    if kind in _index_types(library):
        return "pd.Index"
    if kind in _extension_types(library):
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


def pack_array(packer: Packer, array: Any) -> Packed:
    """Return a numpy array or a pandas extension array as JSON.

    Raises:
        NotData: It is of a subclass, or of a kind that no other process could read.
    """
    import numpy

    if type(array) is not numpy.ndarray:
        return pack_extension(packer, array)
    if array.dtype.kind == "O":
        return ["np.object", list(array.shape), packer.items(array.ravel().tolist())]
    order: Literal["C", "F"] = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
    content = array.tobytes(order)
    return ["np.array", _pack_dtype(array.dtype), list(array.shape), order, packer.bytes(content)]


def pack_column(packer: Packer, array: Any) -> Packed:
    """Return what is in a Series as JSON.

    Raises:
        NotData: It is of a kind that no other process could read.
    """
    return pack_array(packer, array.to_numpy() if type(array).__name__ == "NumpyExtensionArray" else array)


def unpack_array(unpacker: Unpacker, packed: Packed) -> Any:
    """Return a numpy array or a pandas extension array."""
    match packed:
        case ["np.object", list(shape), list(items)]:
            return _object_array(_shape(shape), unpacker.items(items))
        case ["np.array", dtype, list(shape), ("C" | "F") as order, place]:
            return _plain_array(unpacker, dtype, _shape(shape), order, place)
        case ["pd.array", *parts]:
            return _read_extension(unpacker, *parts)
    raise BadValue("This is no array.")


def _object_array(shape: tuple[int, ...], values: list[Any]) -> Any:
    import numpy

    if math.prod(shape) != len(values):
        raise BadValue("The array has another size.")
    flat = numpy.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        flat[place] = value
    return flat.reshape(shape)


def _plain_array(unpacker: Unpacker, packed: Any, shape: tuple[int, ...], order: Any, place: Any) -> Any:
    import numpy

    dtype = _read_dtype(packed)
    content = unpacker.bytes(place)
    if len(content) != math.prod(shape) * dtype.itemsize:
        raise BadValue("The array has another size.")
    if dtype.kind == "b":
        # Any other byte would be neither True nor False.
        flat = numpy.frombuffer(content, dtype=numpy.uint8) != 0
    else:
        flat = numpy.frombuffer(content, dtype=dtype)
    return flat.reshape(shape, order=order).copy(order)


def _shape(shape: list[Any]) -> tuple[int, ...]:
    if len(shape) > 32 or not all(type(side) is int and 0 <= side < MAX_SIDE for side in shape):
        raise BadValue("There is no such shape.")
    return tuple(shape)


def _is_plain(dtype: Any) -> bool:
    return DTYPE.fullmatch(dtype.str) is not None and dtype.subdtype is None and dtype.fields is None


def _pack_dtype(dtype: numpy.dtype[Any]) -> Packed:
    if _is_plain(dtype):
        return dtype.str
    fields: Any = dtype.fields
    if fields and all(_is_plain(field[0]) for field in fields.values()):
        names = list(fields)
        return [
            names,
            [fields[name][0].str for name in names],
            [fields[name][1] for name in names],
            dtype.itemsize,
        ]
    raise NotData(f"Elements of the kind {dtype} are no plain data.")


def _read_dtype(packed: Packed) -> numpy.dtype[Any]:
    import numpy

    match packed:
        case str(text) if DTYPE.fullmatch(text):
            return numpy.dtype(text)
        case [list(names), list(formats), list(offsets), int(size)] if all(
            type(text) is str and DTYPE.fullmatch(text) for text in formats
        ):
            return numpy.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size})
    raise BadValue("There is no such dtype.")


@cache
def _index_types(pandas: Any) -> tuple[type, ...]:
    return (
        *(pandas.Index, pandas.RangeIndex, pandas.MultiIndex, pandas.DatetimeIndex, pandas.TimedeltaIndex),
        *(pandas.PeriodIndex, pandas.CategoricalIndex, pandas.IntervalIndex),
    )


@cache
def _extension_types(pandas: Any) -> tuple[type, ...]:
    arrays = pandas.arrays
    return (
        *(pandas.Categorical, arrays.DatetimeArray, arrays.TimedeltaArray, arrays.PeriodArray),
        *(arrays.IntervalArray, arrays.StringArray, arrays.BooleanArray, arrays.IntegerArray),
        *(arrays.FloatingArray, type(pandas.array(["a"], dtype="str"))),
    )


def pack_index(packer: Packer, index: Any) -> Packed:
    """Return an Index as JSON.

    Raises:
        NotData: It is of a subclass that is not pandas' own.
    """
    import pandas

    kind = type(index)
    if kind not in _index_types(pandas):
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
    if type(array) not in _extension_types(pandas):
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
            zone = pack_zone(packer, array.tz) if kind == "DatetimeArray" else None
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


def _read_extension(unpacker: Unpacker, kind: str, *parts: Any) -> Any:
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


def _pack_scalar(packer: Packer, value: Any) -> list[Packed]:
    return [value.dtype.str, packer.bytes(value.tobytes())]


def _read_scalar(unpacker: Unpacker, dtype: Any, place: Any) -> Any:
    return _plain_array(unpacker, dtype, (1,), "C", place)[0]


def _pack_timestamp(packer: Packer, value: Any) -> list[Packed]:
    return [int(value.asm8.view("i8")), value.unit, pack_zone(packer, value.tzinfo), value.fold]


def _read_timestamp(unpacker: Unpacker, number: Any, unit: Any, zone: Any, fold: Any) -> Any:
    import numpy
    import pandas

    stamp = pandas.Timestamp(numpy.datetime64(exact(number, int), exact(unit, str))).as_unit(unit)
    return stamp if zone is None else stamp.tz_localize("UTC").tz_convert(read_zone(zone))


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
    "np.scalar": _pack_scalar,
    "pd.Timestamp": _pack_timestamp,
    "pd.Timedelta": lambda packer, value: [int(value.asm8.view("i8")), value.unit],
    "pd.Period": lambda packer, value: [value.ordinal, value.freqstr],
    "pd.missing": lambda packer, value: [str(value) if str(value) == "NaT" else "NA"],
    "pd.Interval": lambda packer, value: [*packer.items((value.left, value.right)), value.closed],
    "pd.Index": lambda packer, value: [pack_index(packer, value)],
    "pd.array": lambda packer, value: pack_extension(packer, value)[1:],
}

_UNPACK: dict[str, Callable[..., Any]] = {
    "np.dtype": lambda unpacker, text: _read_dtype(text),
    "np.scalar": _read_scalar,
    "pd.Timestamp": _read_timestamp,
    "pd.Timedelta": _read_timedelta,
    "pd.Period": _read_period,
    "pd.missing": _read_missing,
    "pd.Interval": _read_interval,
    "pd.Index": unpack_index,
    "pd.array": _read_extension,
}
