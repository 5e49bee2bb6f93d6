"""Facts about arrays and tables: where their content lies, and what it is. They import no library."""

from __future__ import annotations

import sys
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Protocol


class Walk(Protocol):
    """Notes facts; see `graders.execution.facts`."""

    def look(self, value: Any) -> None: ...
    def mark(self, *parts: object) -> None: ...
    def items(self, values: Any) -> None: ...
    def spend(self, objects: int = 0, content: int = 0) -> None: ...


_PLAIN = frozenset("biufcSUmM")
_DIGEST_BYTES = 4096
_PANDAS_SCALARS = frozenset({"Timestamp", "Timedelta", "NaTType", "NAType", "Interval", "Period"})
_INDEXES = ("Index", "RangeIndex", "DatetimeIndex", "TimedeltaIndex", "CategoricalIndex", "MultiIndex")
_NUMPY_FUNCTIONS = frozenset({"ufunc", "_ArrayFunctionDispatcher"})


def is_table_scalar(kind: type) -> bool:
    """Return whether objects of a class are values or functions of numpy or pandas that never change."""
    library = kind.__module__.partition(".")[0]
    if library == "numpy":
        numpy: Any = sys.modules.get("numpy")
        if numpy is None:
            return False
        if kind.__name__ in _NUMPY_FUNCTIONS or isinstance(kind, type(numpy.dtype)):
            return True
        return issubclass(kind, numpy.generic) and not issubclass(kind, numpy.void | numpy.object_)
    return library == "pandas" and kind.__name__ in _PANDAS_SCALARS


def _array(walk: Walk, value: Any) -> None:
    walk.mark(id(value))
    _content(walk, value)


def _values(walk: Walk, value: Any) -> None:
    """Note a column's or an index's values: an array, or one of pandas' own."""
    kind = type(value).__name__
    if kind == "ndarray":
        walk.mark(kind)
        _content(walk, value)
        return
    walk.mark(kind, str(value.dtype))
    match kind:
        case "Categorical":
            _content(walk, value._ndarray)  # noqa: SLF001
            _index(walk, value.dtype.categories)
        case "IntegerArray" | "FloatingArray" | "BooleanArray":
            _content(walk, value._data)  # noqa: SLF001
            _content(walk, value._mask)  # noqa: SLF001
        case "ArrowExtensionArray" | "ArrowStringArray":
            # It can be replaced, but not changed.
            walk.mark(id(value._pa_array))  # noqa: SLF001
        case "DatetimeArray" | "TimedeltaArray" | "PeriodArray":
            _content(walk, value._ndarray)  # noqa: SLF001
            walk.mark(str(getattr(value, "freq", None)))
        case "StringArray" | "NumpyExtensionArray":
            _content(walk, value._ndarray)  # noqa: SLF001
        case _:
            raise TypeError(f"Nothing is known of {kind}.")


def _content(walk: Walk, array: Any) -> None:
    """Note an array; its identity tells nothing where a table makes it anew for each who asks."""
    address = array.__array_interface__["data"][0]
    walk.mark(array.dtype.str, address, array.shape, array.strides, array.flags.writeable)
    if array.dtype.kind == "O":
        walk.items(array.ravel().tolist())
        return
    if array.dtype.kind not in _PLAIN:
        raise TypeError("Its elements may hold anything.")
    walk.spend(content=array.nbytes)
    content = array.tobytes()
    walk.mark(content if len(content) <= _DIGEST_BYTES else blake2b(content).digest())


def _index(walk: Walk, index: Any) -> None:
    kind = type(index).__name__
    walk.spend(objects=1)
    if kind == "RangeIndex":
        walk.mark(kind, index.start, index.stop, index.step)
        walk.items((index.name,))
        return
    if kind == "MultiIndex":
        walk.mark(kind, len(index.levels))
        walk.items(tuple(index.names))
        for level, codes in zip(index.levels, index.codes, strict=True):
            _index(walk, level)
            _content(walk, codes)
        return
    walk.mark(kind)
    walk.items((index.name,))
    _values(walk, index._data)  # noqa: SLF001


def _table(walk: Walk, value: Any) -> None:
    if value.attrs or not value.flags.allows_duplicate_labels:
        raise TypeError("It has settings of its own.")
    manager = value._mgr  # noqa: SLF001
    walk.mark(type(value).__name__, id(value), len(manager.axes), len(manager.blocks))
    for axis in manager.axes:
        _index(walk, axis)
    for block in manager.blocks:
        walk.mark(block.mgr_locs.as_array.tobytes())
        _values(walk, block.values)


def _series(walk: Walk, value: Any) -> None:
    walk.items((value.name,))
    _table(walk, value)


def _own_index(walk: Walk, value: Any) -> None:
    walk.mark(id(value))
    _index(walk, value)


TABLE_FACTS: dict[tuple[str, str], Callable[[Any, Any], None]] = {
    ("numpy", "ndarray"): _array,
    ("pandas", "DataFrame"): _table,
    ("pandas", "Series"): _series,
    **{("pandas", name): _own_index for name in _INDEXES},
}
"""By library and name of the class; a learner's class in a library's name is a lie like any other."""
