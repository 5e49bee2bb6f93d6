"""What is in a thing that changes in place: how it is sent, made and put into one that is there already."""

from __future__ import annotations

import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from graders.referee.columns import pack_array, pack_column, pack_index, unpack_array, unpack_index
from graders.referee.values import BadValue, Packed, Packer, Unpacker

TABLES = frozenset({"array", "series", "frame"})
EMPTY: dict[str, Callable[[], Any]] = {
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


def kind_of(value: object) -> str | None:
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


FILL: dict[str, Callable[[Unpacker, Any, Any], None]] = {
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


CONTENTS: dict[str, Callable[[Packer, Any], Packed]] = {
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


MAKE: dict[str, Callable[[Unpacker, Any], Any]] = {
    "array": _make_array,
    "series": _make_series,
    "frame": _make_frame,
}
REPLACE: dict[str, Callable[[Any, Any], None]] = {
    "array": _replace_array,
    "series": _replace_table,
    "frame": _replace_table,
}
