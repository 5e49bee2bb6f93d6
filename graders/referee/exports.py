"""Objects of this process that the other one knows by a number."""

from __future__ import annotations

import builtins
import types
from typing import Any, Protocol

from graders.referee.handles import HandleType, is_remote
from graders.referee.libraries import data_base, is_importable
from graders.referee.operations import offered
from graders.referee.sharing import TooMuch
from graders.referee.values import PLAIN_TYPES, Packed, Packer

MAX_EXPORTS = 100_000
MAX_NAME = 1000


class Names(Protocol):
    """What the other side finds by name."""

    def module_name(self, module: types.ModuleType) -> str | None:
        """Return the name under which the other side finds a module; None if it is not to."""

    def global_place(self, value: object) -> tuple[str, str] | None:
        """Return module and name under which the other side finds an object; None if it is not to."""


class Exports:
    """What this side has told the other side of.

    Args:
        owner: Whose handles go back as what they stand for.
        names: What the other side finds by name.
    """

    def __init__(self, owner: object, names: Names) -> None:
        self.new_classes: dict[str, Any] = {}
        """Descriptions that go with the next message."""
        self._owner = owner
        self._names = names
        self._exports: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}
        self._next = 0
        self._described: set[int] = set()
        self._lent_classes: set[int] = set()
        self.lends_classes = True
        """Whether the message that is being written gives classes away, as a question does and no answer:
        what an answer holds may only be what the other side has given."""

    def __getitem__(self, number: int) -> Any:
        return self._exports[number]

    def __contains__(self, value: object) -> bool:
        return id(value) in self._numbers

    def is_lent(self, value: object) -> bool:
        """Return whether the other side was given an object itself, and not only told of it.

        A class of which it knows because it was given an object is only described.
        """
        number = self._numbers.get(id(value))
        return number is not None and (not isinstance(value, type) or number in self._lent_classes)

    def refer(self, value: Any, packer: Packer) -> Packed:
        """Return an object that is no data as JSON."""
        if is_remote(value) and type.__getattribute__(_class_of(value), "remote__asks") is self._owner:
            return ["mine", value.remote__number]
        if isinstance(value, type):
            return self._refer_class(value, given=self.lends_classes)
        if isinstance(value, BaseException):
            return self._refer_error(value, packer)
        if isinstance(value, types.ModuleType) and (name := self._names.module_name(value)):
            return ["module", name]
        if (place := self._names.global_place(value)) is not None:
            return ["global", *place]
        kind = type(value)
        own_hash = any("__hash__" in vars(base) for base in kind.__mro__ if base is not object)
        hashed = _hash(value) if own_hash else None
        return [
            "object",
            self._export(value),
            self._refer_class(kind),
            None if hashed is None else hex(hashed),
        ]

    def _refer_class(self, kind: type, *, given: bool = False) -> Packed:
        if PLAIN_TYPES.get(kind.__name__) is kind or kind is type(None):
            return ["type", kind.__name__]
        if issubclass(kind, BaseException) and getattr(builtins, kind.__name__, None) is kind:
            return ["error-class", kind.__name__]
        number = self._export(kind)
        if number not in self._described:
            self._described.add(number)
            if given or kind.__module__ == "__main__":
                self._lent_classes.add(number)
            self.new_classes[str(number)] = self._describe(kind)
        return ["class", number]

    def _describe(self, kind: type) -> dict[str, Any]:
        doc = kind.__doc__
        return {
            "name": str(kind.__name__)[:MAX_NAME],
            "qualname": str(kind.__qualname__)[:MAX_NAME],
            "module": str(kind.__module__)[:MAX_NAME],
            "doc": doc[:MAX_NAME] if isinstance(doc, str) else None,
            "bases": [self._refer_class(base) for base in kind.__bases__],
            "specials": offered(kind),
            "library": is_importable(kind),
            "data": data_base(kind) is not None,
        }

    def _refer_error(self, error: BaseException, packer: Packer) -> Packed:
        args = tuple(error.args)
        details = {
            name: value
            for name, value in vars(error).items()
            if not name.startswith("_") and isinstance(value, str | int | float | None)
        }
        return [
            "error",
            self._export(error),
            self._refer_class(type(error)),
            packer.pack(args),
            packer.items(details),
            packer.items(details.values()),
        ]

    def _export(self, value: object) -> int:
        number = self._numbers.get(id(value))
        if number is None:
            if len(self._exports) > MAX_EXPORTS:
                raise TooMuch("More objects than may cross between a test and the code that it tests.")
            number = self._next
            self._next += 1
            self._exports[number] = value
            self._numbers[id(value)] = number
        return number

    def drop(self, number: int) -> None:
        """Forget an object that the other side has forgotten; classes stay."""
        value = self._exports.get(number)
        if number in self._exports and not isinstance(value, type):
            del self._exports[number]
            self._numbers.pop(id(value), None)


def _class_of(value: Any) -> Any:
    return value if isinstance(value, HandleType) else type(value)


def _hash(value: object) -> int | None:
    try:
        return hash(value)
    except Exception:
        # A learner's own `__hash__` may do anything; who puts the object into a set will meet it again.
        return None
