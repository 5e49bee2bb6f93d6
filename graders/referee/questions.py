"""What a test asks of the learner's state, and what it lets that state ask in turn."""

from __future__ import annotations

import io
import sys
import types
from typing import Any

from graders.forkserver.channel import Channel
from graders.referee.folder import Folder
from graders.referee.handles import CALL
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

    def name(self, name: str) -> Any:
        """Return what a name of the learner's stands for."""
        return self.ask("name", name)

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
            case "set", [value, str(name), new] if self._shows(value, name):
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
        if not self._is_lent(function) or not callable(function):
            raise TypeError("This object belongs to a test, which lets nobody call it.")
        return function

    def _shows(self, value: Any, name: str) -> bool:
        """Return whether other code may use an attribute: a public one of an object of a test's own."""
        if not self._is_lent(value):
            return False
        if isinstance(value, types.FunctionType | types.MethodType | types.BuiltinFunctionType | type):
            return name in TOLD_OF_FUNCTIONS or (isinstance(value, type) and self._is_tests(value, name))
        return (isinstance(value, HELPFUL_TYPES) and not name.startswith("_")) or self._is_tests(
            type(value), name
        )

    def _is_tests(self, kind: type, name: str) -> bool:
        return kind.__module__ == "__main__" and not name.startswith("_")

    def _is_lent(self, value: object) -> bool:
        return value in self.exports
