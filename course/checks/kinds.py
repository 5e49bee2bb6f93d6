"""What kind of data a value is, told by its exact type.

A learner's object may claim anything: a `__class__` of `list`, a metaclass that equals `int`, a subclass
that equals all. So types are compared by identity with those listed here, and nothing of an object of
another type is ever called, hashed or read. NumPy's and pandas' types count once somebody has imported
them.
"""

from __future__ import annotations

import datetime
import decimal
import fractions
import sys
import zoneinfo
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import Any, Literal

Kind = Literal[
    "none", "missing", "truth", "whole", "decimal", "complex", "exact", "text", "bytes", "date", "moment",
    "time", "duration", "range", "slice", "list", "tuple", "set", "mapping", "array", "column", "table",
    "labels", "other",
]  # fmt: skip

_BUILTIN: tuple[tuple[type, Kind], ...] = (
    (type(None), "none"),
    (bool, "truth"),
    (int, "whole"),
    (float, "decimal"),
    (complex, "complex"),
    (decimal.Decimal, "exact"),
    (fractions.Fraction, "exact"),
    (str, "text"),
    (bytes, "bytes"),
    (bytearray, "bytes"),
    (datetime.date, "date"),
    (datetime.datetime, "moment"),
    (datetime.time, "time"),
    (datetime.timedelta, "duration"),
    (range, "range"),
    (slice, "slice"),
    (list, "list"),
    (tuple, "tuple"),
    (set, "set"),
    (frozenset, "set"),
    (dict, "mapping"),
    (OrderedDict, "mapping"),
    (defaultdict, "mapping"),
    (Counter, "mapping"),
)
_NUMPY: tuple[tuple[str, Kind], ...] = (
    ("bool", "truth"),
    *((f"{sign}int{bits}", "whole") for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *((f"float{bits}", "decimal") for bits in (16, 32, 64)),
    ("longdouble", "decimal"),
    ("longlong", "whole"),
    ("ulonglong", "whole"),
    ("complex64", "complex"),
    ("complex128", "complex"),
    ("str_", "text"),
    ("bytes_", "bytes"),
    ("datetime64", "moment"),
    ("timedelta64", "duration"),
    ("ndarray", "array"),
)
_PANDAS: tuple[tuple[str, Kind], ...] = (
    ("Timestamp", "moment"),
    ("Timedelta", "duration"),
    ("Series", "column"),
    ("DataFrame", "table"),
    ("Index", "labels"),
    ("RangeIndex", "labels"),
    ("MultiIndex", "labels"),
    ("DatetimeIndex", "labels"),
    ("TimedeltaIndex", "labels"),
    ("PeriodIndex", "labels"),
    ("CategoricalIndex", "labels"),
    ("IntervalIndex", "labels"),
)
_TIME_ZONES = (type(None), datetime.timezone, zoneinfo.ZoneInfo)


def kind_of(value: object) -> Kind:
    """Return the kind of `value`; "other" for whatever is not plain data."""
    exact = type(value)
    if is_missing_mark(value):
        return "missing"
    # By the type's address: looking up the type itself would ask its metaclass for hash and equality.
    found = _known(sys.modules.get("numpy"), sys.modules.get("pandas")).get(id(exact), "other")
    if found in ("moment", "time") and not _has_known_zone(value):
        return "other"
    if exact is fractions.Fraction and not _is_of_integers(value):
        return "other"
    return found


def is_missing_mark(value: object) -> bool:
    """Return whether `value` is one of pandas' two objects that stand for a missing value."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and (value is pandas.NA or value is pandas.NaT)


def plain(value: Any) -> Any:
    """Return a NumPy scalar as the Python number, text or date that it is; other data as it is.

    Only for a value whose kind is known.
    """
    numpy = sys.modules.get("numpy")
    if numpy is None or not issubclass(type(value), numpy.generic):
        return value
    pandas = sys.modules.get("pandas")
    if type(value) is numpy.datetime64 and pandas is not None:
        return pandas.Timestamp(value)
    if type(value) is numpy.timedelta64 and pandas is not None:
        return pandas.Timedelta(value)
    return float(value) if type(value) is numpy.longdouble else value.item()


def type_name(kind: type) -> str:
    """Return the name of a type, without asking the type or its metaclass."""
    name = type.__dict__["__name__"].__get__(kind)
    return "".join(character for character in name[:60] if character.isprintable())


def is_in(kind: type, kinds: Iterable[type]) -> bool:
    """Return whether `kind` is one of `kinds`; a metaclass has no say, as it has with `in`."""
    return any(kind is each for each in kinds)


@cache
def _known(numpy: ModuleType | None, pandas: ModuleType | None) -> dict[int, Kind]:
    known = {id(each): kind for each, kind in _BUILTIN}
    for module, kinds in ((numpy, _NUMPY), (pandas, _PANDAS)):
        if module is not None:
            known |= {id(getattr(module, name)): kind for name, kind in kinds}
    return known


def _is_of_integers(value: Any) -> bool:
    # The standard library writes fractions in Python: anything can be put in these two places.
    return type(value._numerator) is int and type(value._denominator) is int  # noqa: SLF001


def _has_known_zone(value: Any) -> bool:
    # A time zone is an object that comparisons call.
    numpy = sys.modules.get("numpy")
    if numpy is not None and type(value) is numpy.datetime64:
        return True
    return is_in(type(value.tzinfo), _TIME_ZONES)
