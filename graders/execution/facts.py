"""What the names of a namespace stand for at one moment, so that it can be told whether that is so later on.

Facts are cheap and never run learner code. Of what changes in place they keep content and identity, of what
does not a reference: a reference to a table would change what pandas does with it. Whatever is of none of the
kinds below counts as changed; so does a function where anything that it reaches has, or a setting outside the
namespace.

Learner code that means to can make these facts say anything, but only about which of two states, both its
own, a test meets.
"""

from __future__ import annotations

import datetime
import decimal
import fractions
import functools
import pathlib
import re
import sys
import types
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import is_
from typing import Any

from graders.execution.ambient import Ambient
from graders.execution.libraries import is_of_library, names_in, reaches_hidden_state
from graders.execution.table_facts import TABLE_FACTS, is_table_scalar

MAX_OBJECTS = 20_000
MAX_BYTES = 1 << 20
"""Both of one moment: a snapshot costs less than to look at more."""
MAX_DEPTH = 30

_SCALARS: frozenset[type] = frozenset({
    *(type(None), bool, int, float, complex, str, bytes, range, slice, type(...), type(NotImplemented)),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern, re.Match, types.CodeType),
    *(datetime.date, datetime.time, datetime.datetime, datetime.timedelta, datetime.timezone),
    *(type(pathlib.Path()), type(pathlib.PurePath()), types.GetSetDescriptorType, types.MemberDescriptorType),
})  # fmt: skip
_HISTORY = re.compile(r"_*|_i+|_[io]h|_dh|_i?\d+|In|Out|__\w+__")
"""Names that IPython sets anew with each cell, and Python's own."""
_UNTOLD = ("__dict__", "__weakref__")


class Unsure(Exception):
    """Nobody can tell cheaply whether an object has changed."""


@dataclass(frozen=True, slots=True)
class _Fact:
    marks: list[Any]
    """Identity and content of what changes in place, and where it stands among the leaves."""
    leaves: list[Any]
    """What does not change."""
    needs: frozenset[str]
    """The names that its code uses."""
    runs_code: bool

    def is_as(self, other: _Fact) -> bool:
        return (
            len(self.leaves) == len(other.leaves)
            and self.marks == other.marks
            and self.needs == other.needs
            and all(map(is_, self.leaves, other.leaves))
        )


class Facts:
    """The state of a namespace.

    Args:
        namespace: To look at.
        given: Names that were there before any cell ran.
    """

    def __init__(self, namespace: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        walk = _Walk(namespace)
        self.ambient = Ambient()
        self._facts = {
            name: None if _HISTORY.fullmatch(name) else walk.fact(value, is_given=given.get(name) is value)
            for name, value in dict(namespace).items()
            if type(name) is str
        }

    def changed(self, later: Facts) -> frozenset[str]:
        """Return the names that do not stand later for what they stand for here, or perhaps do not."""
        setting_is_same = self.ambient == later.ambient
        names = self._facts.keys() | later._facts.keys()
        changed = {name for name in names if not self._is_same(name, later, setting_is_same)}
        while more := {name for name in names - changed if not self._needs(name).isdisjoint(changed)}:
            changed |= more
        return frozenset(changed)

    def is_as(self, earlier: Facts) -> bool:
        """Return whether nothing has changed that could be told."""
        return self.ambient == earlier.ambient and earlier.changed(self) == earlier.changed(earlier)

    def _is_same(self, name: str, later: Facts, setting_is_same: bool) -> bool:
        one, other = self._facts.get(name), later._facts.get(name)
        if one is None or other is None or not one.is_as(other):
            return False
        return setting_is_same or not one.runs_code

    def _needs(self, name: str) -> frozenset[str]:
        fact = self._facts[name]
        return fact.needs if fact is not None else frozenset()


class _Walk:
    """Looks at the objects of one moment, as far as its bounds reach."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._objects_left = MAX_OBJECTS
        self._bytes_left = MAX_BYTES

    def fact(self, value: object, *, is_given: bool) -> _Fact | None:
        """Return what `value` is; None if that cannot be told."""
        self.marks: list[Any] = []
        self.leaves: list[Any] = []
        self._needs: set[str] = set()
        self._runs_code = False
        self._depth = 0
        self._seen: set[int] = set()
        if is_given:
            return _Fact([], [value], frozenset(), runs_code=True)
        try:
            self.look(value)
        except (Unsure, AttributeError, TypeError, ValueError):
            # An object that is not built as its kind is.
            return None
        return _Fact(self.marks, self.leaves, frozenset(self._needs), self._runs_code)

    def look(self, value: Any) -> None:
        """Note an object and all that belongs to it.

        Raises:
            Unsure: It is of no known kind, or there is too much of it.
        """
        kind = type(value)
        if kind in _SCALARS or is_table_scalar(kind):
            self.spend(1)
            self.leaves.append(value)
            return
        if id(value) in self._seen:
            self.mark("again", id(value))
            return
        self._seen.add(id(value))
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unsure
        looks = _LOOKS.get(kind)
        if looks is not None:
            looks(self, value)
        elif (of_table := TABLE_FACTS.get((kind.__module__.partition(".")[0], kind.__name__))) is not None:
            of_table(self, value)
        elif kind is type:
            self._look_at_class(value)
        else:
            self._look_at_object(value, kind)
        self._depth -= 1

    def mark(self, *parts: object) -> None:
        """Note what can be compared: an identity, a size, a content."""
        self.marks.append((len(self.leaves), *parts))

    def items(self, values: Any) -> None:
        """Note the members of something, in order."""
        self.spend(len(values))
        if set(map(type, values)) <= _SCALARS:
            self.leaves.extend(values)
            return
        for value in values:
            self.look(value)

    def spend(self, objects: int = 0, content: int = 0) -> None:
        """Take note of so much work.

        Raises:
            Unsure: It would be too much.
        """
        if objects > self._objects_left or content > self._bytes_left:
            raise Unsure
        self._objects_left -= objects
        self._bytes_left -= content

    def look_at_module(self, module: types.ModuleType) -> None:
        if sys.modules.get(module.__name__) is not module or not is_of_library(module.__name__):
            raise Unsure
        self.leaves.append(module)

    def look_at_builtin(self, function: types.BuiltinFunctionType) -> None:
        owner = function.__self__
        if not isinstance(owner, types.ModuleType | type(None)) or not is_of_library(function.__module__):
            raise Unsure
        self._runs_code = True
        self.leaves.append(function)

    def look_at_function(self, function: types.FunctionType) -> None:
        self._runs_code = True
        if function.__globals__ is not self._namespace:
            if not is_of_library(function.__module__) or function.__closure__ or function.__dict__:
                raise Unsure
            self.leaves.append(function)
            return
        self.mark("function", id(function), len(function.__closure__ or ()))
        self._look_at_code(function.__code__)
        self.look(function.__defaults__)
        self.look(function.__kwdefaults__)
        self.look(function.__dict__)
        for cell in function.__closure__ or ():
            self.look(cell.cell_contents)

    def _look_at_code(self, code: types.CodeType) -> None:
        self.leaves.append(code)
        names = names_in(code)
        if reaches_hidden_state(names):
            raise Unsure
        self._needs |= names

    def _look_at_class(self, kind: type) -> None:
        self._runs_code = True
        if kind.__module__ != "__main__":
            if not is_of_library(kind.__module__):
                raise Unsure
            self.leaves.append(kind)
            return
        parts = {name: part for name, part in vars(kind).items() if name not in _UNTOLD}
        if "__del__" in parts or "__slots__" in parts:
            raise Unsure
        self.mark("class", id(kind), len(parts))
        self.items(kind.__bases__)
        self.items(list(parts))
        for part in parts.values():
            self.look(part)

    def _look_at_object(self, value: Any, kind: type) -> None:
        if type(kind) is not type or any(
            base is not object and base.__module__ != "__main__" for base in kind.__mro__
        ):
            raise Unsure
        self.mark("object", id(value))
        self.look(kind)
        self.look(object.__getattribute__(value, "__dict__"))


def _sequence(walk: _Walk, value: Any) -> None:
    walk.mark(type(value).__name__, id(value), len(value))
    walk.items(value)


def _mapping(walk: _Walk, value: Any) -> None:
    walk.mark(type(value).__name__, id(value), len(value))
    walk.items(list(dict.keys(value)))
    walk.items(list(dict.values(value)))


def _deque(walk: _Walk, value: deque[Any]) -> None:
    walk.mark("deque", id(value), len(value), value.maxlen or -1)
    walk.items(value)


def _default(walk: _Walk, value: defaultdict[Any, Any]) -> None:
    _mapping(walk, value)
    walk.look(value.default_factory)


def _bytearray(walk: _Walk, value: bytearray) -> None:
    walk.spend(content=len(value))
    walk.mark("bytearray", id(value), bytes(value))


def _parts(*names: str) -> Callable[[_Walk, Any], None]:
    def look(walk: _Walk, value: Any) -> None:
        walk.mark(type(value).__name__, id(value))
        for name in names:
            walk.look(getattr(value, name))

    return look


_LOOKS: dict[type, Callable[[_Walk, Any], None]] = {
    list: _sequence,
    tuple: _sequence,
    set: _sequence,
    frozenset: _sequence,
    dict: _mapping,
    Counter: _mapping,
    OrderedDict: _mapping,
    types.MappingProxyType: lambda walk, value: _mapping(walk, dict(value)),
    defaultdict: _default,
    deque: _deque,
    bytearray: _bytearray,
    property: _parts("fget", "fset", "fdel"),
    staticmethod: _parts("__func__"),
    classmethod: _parts("__func__"),
    types.MethodType: _parts("__self__", "__func__"),
    functools.partial: _parts("func", "args", "keywords", "__dict__"),
    types.FunctionType: _Walk.look_at_function,
    types.BuiltinFunctionType: _Walk.look_at_builtin,
    types.ModuleType: _Walk.look_at_module,
}
