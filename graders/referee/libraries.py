"""Classes that both processes have, by name: Python's own and those of libraries."""

from __future__ import annotations

import builtins
import sys
import types

from graders.referee.values import PLAIN_TYPES, BadValue

NOT_OURS = frozenset(
    {"unittest", "pytest", "_pytest", "nose", "IPython", "graders", "nbgrader", "course", "doctest"}
)
"""Packages whose errors mean something to those who run tests: another process raises none of them here."""

TYPES_BY_NAME = {kind.__name__: kind for kind in vars(types).values() if isinstance(kind, type)}


def is_importable(kind: type) -> bool:
    """Return whether another process finds a class by its name."""
    module = kind.__module__
    if module == "__main__":
        return False
    if module == "builtins":
        return getattr(builtins, kind.__name__, None) is kind or TYPES_BY_NAME.get(kind.__name__) is kind
    return find_class(sys.modules.get(module), kind.__qualname__) is kind


def find_class(module: object, name: str) -> type | None:
    """Return a class by its qualified name in the module that it says it is of; None if there is none."""
    if module is builtins:
        value: object = getattr(builtins, name, None) or TYPES_BY_NAME.get(name)
        return value if isinstance(value, type) else None
    if not isinstance(module, types.ModuleType) or module.__name__.partition(".")[0] in NOT_OURS:
        return None
    value = module
    for part in name.split("."):
        value = vars(value).get(part)
        # Through no module, nor to what it has from elsewhere: `numpy.testing.SkipTest` is unittest's.
        if not isinstance(value, type) or value.__module__ != module.__name__:
            return None
    return value if isinstance(value, type) else None


def builtin_error(name: str) -> type[BaseException]:
    """Return Python's own class of errors of that name.

    Raises:
        BadValue: There is none.
    """
    kind = getattr(builtins, name, None)
    if not (isinstance(kind, type) and issubclass(kind, BaseException)):
        raise BadValue("There is no such error.")
    return kind


def data_base(kind: type) -> type | None:
    """Return the type of data from which a class derives; None if it derives from none."""
    for base in kind.__mro__[1:]:
        if base in _DATA_TYPES or (base.__module__, base.__name__) in _TABLE_TYPES:
            return base
    return None


_DATA_TYPES: frozenset[type] = frozenset(PLAIN_TYPES.values()) - {
    object,
    type,
    type(None),
    type(...),
    range,
    slice,
    bool,
}
_TABLE_TYPES = {
    ("numpy", "ndarray"),
    ("pandas", "DataFrame"),
    ("pandas", "Series"),
    ("pandas.core.frame", "DataFrame"),
    ("pandas.core.series", "Series"),
}
