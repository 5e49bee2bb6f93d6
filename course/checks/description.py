"""A value as a short printable text, for a message; what is not plain data is named by its type, no more."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from course.checks.kinds import kind_of, plain, type_name
from course.checks.wording import say

MAX_LENGTH = 120
_MAX_ITEMS = 8
_BRACKETS = {"list": ("[", "]"), "tuple": ("(", ")"), "set": ("{", "}"), "mapping": ("{", "}")}
_MAX_DEPTH = 3
_MAX_DIGITS_BITS = 400


def described(value: Any, limit: int = MAX_LENGTH) -> str:
    """Return what a reader has to know of `value`, in at most `limit` printable characters."""
    text = _described(value, _MAX_DEPTH)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def named_kind(value: Any) -> str:
    """Return what `value` is, with its article: "a list", "a number"."""
    names = {
        "none": "None",
        "missing": say("a missing value"),
        "truth": say("a truth value"),
        "whole": say("a whole number"),
        "decimal": say("a decimal number"),
        "complex": say("a complex number"),
        "text": say("a text"),
        "bytes": say("bytes"),
        "date": say("a date"),
        "moment": say("a date with time"),
        "time": say("a time of day"),
        "duration": say("a duration"),
        "list": say("a list"),
        "tuple": say("a tuple"),
        "set": say("a set"),
        "mapping": say("a dictionary"),
        "array": say("an array"),
        "column": say("a column (Series)"),
        "table": say("a table (DataFrame)"),
        "labels": say("an index"),
    }
    name = names.get(kind_of(value))
    return name or say("an object of type {name}", name=type_name(type(value)))


def _described(value: Any, depth: int) -> str:
    kind = kind_of(value)
    if kind in ("list", "tuple", "set", "mapping"):
        return _container(value, kind, depth)
    if kind == "array":
        return say("an array of shape {shape}", shape=tuple(value.shape))
    if kind == "table":
        return say(
            "a table of {rows} rows and {columns} columns", rows=len(value), columns=len(value.columns)
        )
    if kind == "column":
        return say("a column of {count} values", count=len(value))
    if kind == "labels":
        return say("an index of {count} labels", count=len(value))
    if kind == "other":
        return named_kind(value)
    value = plain(value)
    if kind == "whole" and value.bit_length() > _MAX_DIGITS_BITS:
        return say("a whole number with very many digits")
    if kind in ("text", "bytes"):
        return repr(value[: 2 * MAX_LENGTH])
    if kind in ("exact", "slice"):
        return say("an object of type {name}", name=type_name(type(value))) if kind == "slice" else str(value)
    return str(value) if kind in ("moment", "date", "time", "duration") else repr(value)


def _container(value: Any, kind: str, depth: int) -> str:
    left, right = _BRACKETS[kind]
    if depth == 0:
        return f"{left}…{right}"
    if kind == "mapping":
        items: Iterable[str] = (
            f"{_described(key, depth - 1)}: {_described(each, depth - 1)}" for key, each in dict.items(value)
        )
    else:
        items = (_described(each, depth - 1) for each in value)
    shown = list(islice(items, _MAX_ITEMS))
    more = ["…"] if len(value) > _MAX_ITEMS else []
    comma = "," if kind == "tuple" and len(value) == 1 else ""
    return f"{left}{', '.join([*shown, *more])}{comma}{right}"
