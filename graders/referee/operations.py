"""What Python does with an object by its type: the same names on both sides of a connection."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any


def _enter(value: Any) -> Any:
    return type(value).__enter__(value)


def _exit(value: Any, *error: Any) -> Any:
    return type(value).__exit__(value, *error)


READING: Mapping[str, Callable[..., Any]] = {
    "__len__": len,
    "__bool__": bool,
    "__iter__": iter,
    "__next__": next,
    "__reversed__": reversed,
    "__abs__": abs,
    "__neg__": operator.neg,
    "__pos__": operator.pos,
    "__invert__": operator.invert,
    "__int__": int,
    "__float__": float,
    "__complex__": complex,
    "__index__": operator.index,
    "__round__": round,
    "__trunc__": math.trunc,
    "__floor__": math.floor,
    "__ceil__": math.ceil,
    "__str__": str,
    "__repr__": repr,
    "__bytes__": bytes,
    "__fspath__": lambda value: type(value).__fspath__(value),
    "__enter__": _enter,
    "__exit__": _exit,
    "__getitem__": operator.getitem,
    "__format__": format,
    "__hash__": hash,
}
"""They tell the object nothing that a test expects of it."""

OF_DATA = frozenset(READING) - {
    "__next__",
    "__str__",
    "__repr__",
    "__format__",
    "__hash__",
    "__enter__",
    "__exit__",
}
"""What the data of an object answers if its class derives from a type of data."""

WRITING: Mapping[str, Callable[..., Any]] = {
    "__setitem__": operator.setitem,
    "__delitem__": operator.delitem,
}

COMPARING: Mapping[str, Callable[..., Any]] = {
    "__eq__": operator.eq,
    "__ne__": operator.ne,
    "__lt__": operator.lt,
    "__le__": operator.le,
    "__gt__": operator.gt,
    "__ge__": operator.ge,
}

_ARITHMETIC = (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
)


def _operator(name: str) -> Callable[[Any, Any], Any]:
    return getattr(operator, {"and": "and_", "or": "or_"}.get(name, name))


def _swapped(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, other: function(other, value)


ARITHMETIC: Mapping[str, Callable[..., Any]] = {
    **{f"__{name}__": _operator(name) for name in _ARITHMETIC},
    **{f"__r{name}__": _swapped(_operator(name)) for name in _ARITHMETIC},
    "__divmod__": divmod,
    "__rdivmod__": _swapped(divmod),
}
"""With another operand: what they are given may be what a test expects."""

ASKING: Mapping[str, Callable[..., Any]] = {"__contains__": operator.contains}

ALL: Mapping[str, Callable[..., Any]] = {**READING, **WRITING, **COMPARING, **ARITHMETIC, **ASKING}

RESULTS: Mapping[str, type] = {
    "__len__": int,
    "__bool__": bool,
    "__contains__": bool,
    "__int__": int,
    "__float__": float,
    "__complex__": complex,
    "__index__": int,
    "__hash__": int,
    "__str__": str,
    "__repr__": str,
    "__format__": str,
    "__bytes__": bytes,
    "__fspath__": str,
    **dict.fromkeys(COMPARING, bool),
}
"""What a result must be, exactly."""

ALWAYS = frozenset({"__str__", "__repr__", "__format__", "__eq__", "__ne__", "__hash__"})
"""What every object has."""


def offered(kind: type) -> list[str]:
    """Return the names of what objects of a type can do, beyond what every object can."""
    # Not `getattr`, which finds what a class can do for itself, too.
    found = {name for base in kind.__mro__ if base is not object for name in vars(base)}
    return [name for name in (*ALL, "__call__") if name in found and name not in ALWAYS]
