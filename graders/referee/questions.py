"""What a test asks of the learner's state, and what it lets that state ask in turn."""

from __future__ import annotations

import io
import sys
import types
from collections.abc import Mapping
from enum import Enum, EnumMeta
from functools import partial
from operator import attrgetter, itemgetter, methodcaller
from typing import Any

from graders.forkserver.channel import Channel
from graders.referee.asking import CALL
from graders.referee.folder import Folder
from graders.referee.operations import ALL
from graders.referee.outputs import Outputs
from graders.referee.peer import Peer
from graders.referee.values import BadValue, exact

NEVER_TOLD = frozenset(
    {
        *(
            "equals",
            "eq",
            "ne",
            "lt",
            "le",
            "gt",
            "ge",
            "isin",
            "compare",
            "issubset",
            "issuperset",
            "isdisjoint",
        ),
        *(
            "startswith",
            "endswith",
            "count",
            "index",
            "find",
            "match",
            "search",
            "fullmatch",
            "has_key",
            "close",
        ),
        *("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__"),
    }
)
"""Methods that compare, as tests call them on plain data."""
TOLD_OF_FUNCTIONS = frozenset({"__name__", "__qualname__", "__doc__"})
NEVER_SHOWN = frozenset({"format", "format_map", "mro"})
"""What reads any attribute of its arguments, or tells of classes that a test has not given away."""
FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType)
HARMLESS_BASES = frozenset({list, dict, set, frozenset, tuple, int, float, complex, BaseException})
HELPFUL_TYPES = (io.StringIO, io.BytesIO, types.SimpleNamespace)


class LearnerState(Peer):
    """The learner's state at a test.

    Args:
        channel: To it.
        outputs: Where what it prints belongs.
        calls: What this test asks the instructor's own objects, by name: only that may learner's objects be
            asked with plain data, since they could say that it is what they equal. None: that is not known.
        recording: Whether this is the instructor's own state, of which any test may ask anything.
        folders: The folders that both have, and the files in them that neither sends.
    """

    def __init__(
        self,
        channel: Channel,
        outputs: Outputs,
        calls: frozenset[str] | None,
        *,
        recording: bool,
        folders: tuple[list[str], list[str]],
    ) -> None:
        super().__init__(channel, first=0)
        self.asked: set[str] = set()
        self._named: dict[str, tuple[int, Any]] = {}
        self._outputs = outputs
        self._calls = calls
        self._recording = recording
        self._roots, self._kept = folders
        self._folder = Folder(self._roots, self._kept)
        self._folder.note()

    def begin(self, seconds: float) -> list[str]:
        """Return the names that the learner has."""
        names = self.ask("begin", seconds, self._roots, self._kept)
        return [exact(name, str) for name in exact(names, list)]

    def ask(self, operation: str, *values: object) -> Any:
        try:
            value = super().ask(operation, *values)
        except (StopIteration, StopAsyncIteration) as error:
            if operation == "special" and values[1] == "__next__":
                raise
            # It would end an iterator of Python's own that the test asks, as if there were no more.
            raise RuntimeError(f"{type(error).__name__} was raised by what is no iterator") from error
        named = operation in ("get", "name") and _catches_failures(value)
        if named and not self.may_ask(f"__except__ {values[-1]}"):
            raise TypeError(f"{values[-1]} is a class of errors that failed checks are of, too")
        return value

    def name(self, name: str) -> Any:
        """Return what a name of the learner's stands for."""
        turn, value = self._named.get(name, (-1, None))
        if turn != self.turn:
            value = self.ask("name", name)
            # Asked again at once, it might be another.
            self._named[name] = self.turn, value
        return value

    def discard_files(self) -> None:
        """Remove the files that came from the learner."""
        self._folder.discard()

    def may_ask(self, name: str) -> bool:
        self.asked.add(name)
        if self._recording:
            return True
        if self._calls is None:
            return name == CALL or not (name.startswith("__") or name in NEVER_TOLD)
        return name in self._calls

    def perform(self, operation: str, values: list[Any]) -> Any:
        match operation, values:
            case "call", [function, tuple(args), dict(kwargs)]:
                return self._callable(function)(*args, **kwargs)
            case "get", [value, str(name)] if self._shows(value, name):
                return getattr(value, name)
            case "set", [value, str(name), new] if self._lets_change(value, name):
                return setattr(value, name, new)
            case "special", [value, str(name), *others] if self._is_lent(value):
                return ALL[name](value, *others)
        raise AttributeError("This object belongs to a test, which does not show it.")

    def extra(self) -> dict[str, Any]:
        return {"files": self._folder.changes()}

    def take_extra(self, header: dict[str, Any]) -> None:
        try:
            self._folder.apply(header.get("files"))
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise BadValue(f"Files that make no sense: {error}") from error
        for stream, text in exact(header.get("printed", []), list):
            if stream not in ("stdout", "stderr"):
                raise BadValue("There is no such stream.")
            (sys.stdout if stream == "stdout" else sys.stderr).write(exact(text, str))

    def module_name(self, module: types.ModuleType) -> str | None:
        return module.__name__ if sys.modules.get(module.__name__) is module else None

    def global_place(self, value: object) -> tuple[str, str] | None:
        module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
        if not isinstance(module, str) or not isinstance(name, str) or module == "__main__":
            return None
        found: Any = sys.modules.get(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        return (module, name) if found is value else None

    def _callable(self, function: Any) -> Any:
        if not self.exports.is_lent(function) or not callable(function) or _reaches_further(function):
            raise TypeError("This object belongs to a test, which lets nobody call it.")
        return function

    def _shows(self, value: Any, name: str) -> bool:
        """Return whether other code may use an attribute: a public one of an object of a test's own."""
        if not self.exports.is_lent(value):
            return False
        if isinstance(value, FUNCTIONS):
            return name in TOLD_OF_FUNCTIONS
        if isinstance(value, type):
            return name in TOLD_OF_FUNCTIONS or _is_tests_own(value, vars(value), name)
        if isinstance(value, HELPFUL_TYPES):
            return not name.startswith("_")
        # Not `vars`, which asks the object.
        return _is_tests_own(type(value), getattr(value, "__dict__", {}), name)

    def _lets_change(self, value: Any, name: str) -> bool:
        """Return whether other code may set an attribute: of a test's objects, never of its classes."""
        if not self.exports.is_lent(value) or isinstance(value, (*FUNCTIONS, type)) or name.startswith("_"):
            return False
        return isinstance(value, HELPFUL_TYPES) or type(value).__module__ == "__main__"

    def _is_lent(self, value: object) -> bool:
        return self.exports.is_lent(value)


def _catches_failures(value: object) -> bool:
    """Return whether a failed check is an error of this class, or of one of these."""
    if isinstance(value, tuple):
        return any(map(_catches_failures, value))
    return value is not object and isinstance(value, type) and issubclass(AssertionError, value)


def _is_tests_own(kind: type, own: Mapping[str, Any], name: str) -> bool:
    """Return whether a public attribute is one that a test's own class has, or harmless where it is from."""
    if kind.__module__ != "__main__" or name.startswith("_") or name in NEVER_SHOWN:
        return False
    if name in own:
        return True
    for base in kind.__mro__:
        if name in vars(base):
            return (
                base.__module__ == "__main__"
                or base in HARMLESS_BASES
                or (issubclass(kind, Enum) and name in ("name", "value"))
            )
    return any("__getattr__" in vars(base) for base in kind.__mro__ if base.__module__ == "__main__")


def _reaches_further(function: Any) -> bool:
    """Return whether a call with the right arguments reaches what no test has given away.

    A class of enumerations makes further classes, of any base; `attrgetter` and its like read any attribute.
    """
    if isinstance(function, EnumMeta):
        return not function.__members__
    if isinstance(function, attrgetter):
        names = [part for each in function.__reduce__()[1] for part in str(each).split(".")]
        return any(name.startswith("_") or name in NEVER_SHOWN for name in names)
    if isinstance(function, partial):
        return not (isinstance(function.func, types.FunctionType) and function.func.__module__ == "__main__")
    return isinstance(function, methodcaller) or (
        isinstance(function, type)
        and function.__module__ != "__main__"
        and issubclass(function, attrgetter | itemgetter | methodcaller | partial | Enum | map | filter)
    )
