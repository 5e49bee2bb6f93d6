"""Two processes that ask each other about their objects, one of them with learner code in it.

Each asks, and while it waits for the answer it answers what the other asks: so a function of a test can be called
by the learner's code that the test called.
"""

from __future__ import annotations

import builtins
import sys
import types
from typing import Any
from weakref import WeakValueDictionary, finalize

from graders.forkserver.channel import BadMessage, Channel, ChannelClosed, Message, MessageTooLarge
from graders.referee.handles import (
    CALL,
    ClassOfOther,
    Handle,
    HandleType,
    is_remote,
    make_class,
    make_handle,
)
from graders.referee.operations import offered
from graders.referee.sharing import Sharing, TooMuch
from graders.referee.values import PLAIN_TYPES, BadValue, Packed, Packer, Unpacker, exact

MAX_NESTING = 40
MAX_IGNORED = 10_000
MAX_EXPORTS = 100_000
MAX_NAME = 1000
NOT_OURS = frozenset(
    {"unittest", "pytest", "_pytest", "nose", "IPython", "graders", "nbgrader", "course", "doctest"}
)
"""Packages whose errors mean something to those who run tests: another process raises none of them here."""

TYPES_BY_NAME = {kind.__name__: kind for kind in vars(types).values() if isinstance(kind, type)}


class PeerLost(BaseException):
    """The other process ended, or does not keep to the protocol. No `except Exception` of a test hides it."""


class Peer:
    """One side of the connection.

    Args:
        channel: To the other side.
        first: 0 for the side that asks first, 1 for the other.
    """

    def __init__(self, channel: Channel, first: int) -> None:
        self.channel = channel
        self.lost = ""
        # The use of an object on this side decides how long both know it.
        self._asks_first = first == 0
        self._sharing = Sharing(first, self._refer, self._resolve)
        self._exports: dict[int, Any] = {}
        self._export_numbers: dict[int, int] = {}
        self._next_export = 0
        self._handles: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self._classes: dict[int, Any] = {}
        self._described: set[int] = set()
        self._new_classes: dict[str, Any] = {}
        self._incoming_classes: dict[str, Any] = {}
        self._released: list[int] = []
        self._nesting = 0
        self.is_reading = False
        self._asking_name = ""

    # What a side decides for itself.

    def perform(self, operation: str, values: list[Any]) -> Any:
        """Return what the other side has asked for."""
        raise NotImplementedError

    def extra(self) -> dict[str, Any]:
        """Return what else goes with a message of this side."""
        return {}

    def take_extra(self, header: dict[str, Any]) -> None:
        """Take what else came with a message."""

    def may_ask(self, name: str) -> bool:
        """Return whether an object may be told something in a call or an operation of this name."""
        return True

    def is_own_class(self, kind: type) -> bool:
        """Return whether a class is none of a library that both sides have."""
        return not _is_importable(kind)

    def find_class(self, module: str, name: str) -> type | None:
        """Return this side's class of that name in a library."""
        return _found(sys.modules.get(module), name)

    # Asking and answering.

    def ask(self, operation: str, *values: object) -> Any:
        """Return what the other side answers, or raise what it raised.

        Raises:
            PeerLost: It gives no answer.
        """
        if self.is_reading:
            raise BadValue("An object cannot be asked while it is being read.")
        if self.lost:
            raise PeerLost(self.lost)
        self._nesting += 1
        outer, self._asking_name = self._asking_name, _key(operation, values)
        try:
            if self._nesting > MAX_NESTING:
                raise RecursionError(
                    "maximum recursion depth exceeded between a test and the code that it tests"
                )
            self._send(operation, values)
            return self._answer()
        except (ChannelClosed, BadMessage, TimeoutError) as error:
            raise self._lose(f"The learner's process gives no answer: {error}") from error
        except BadValue as error:
            raise self._lose(f"What the learner's process answers makes no sense: {error}") from error
        finally:
            self._nesting -= 1
            self._asking_name = outer

    def answer(self, message: Message) -> None:
        """Do what the other side asks, and send it what comes of it."""
        operation = str(message.header.get("op"))
        outcome: object
        try:
            outcome = self.perform(operation, list(self._read(message)))
            kind = "reply"
        except PeerLost:
            raise
        except BaseException as error:
            kind, outcome = "raised", error
        try:
            self._send(kind, outcome)
        except (MessageTooLarge, TooMuch):
            self._send(
                "raised",
                ValueError("This is more data than may cross between a test and the code that it tests."),
            )

    def _answer(self) -> Any:
        for _ in range(MAX_IGNORED):
            message = self.channel.receive()
            kind = message.header.get("op")
            if kind == "reply":
                return self._read(message)
            if kind == "raised":
                error = self._read(message)
                raise error if isinstance(error, BaseException) else BadValue("No error was raised.")
            if kind not in ("output", "cut"):
                # What code shows that a test calls reaches nobody.
                self.answer(message)
        raise BadValue("It says too much.")

    def _lose(self, reason: str) -> PeerLost:
        self.lost = reason
        return PeerLost(reason)

    # Messages.

    def _send(self, operation: str, value: object) -> None:
        self._new_classes = {}
        released, self._released = self._released, []
        body, blob = self._sharing.write(value)
        gone = self._sharing.sweep() if self._asks_first else []
        header = {
            "op": operation,
            **body,
            "classes": self._new_classes,
            "gone": gone,
            "released": released,
            **self.extra(),
        }
        self.channel.send(header, blob)

    def _read(self, message: Message) -> Any:
        header = message.header
        self.is_reading = True
        try:
            for number in exact(header.get("released", []), list):
                self._drop_export(exact(number, int))
            self._incoming_classes = exact(header.get("classes", {}), dict)
            (blob,) = message.buffers or (b"",)
            value = self._sharing.read(header, blob)
            self._sharing.forget([exact(number, int) for number in exact(header.get("gone", []), list)])
        except (
            KeyError,
            AttributeError,
            IndexError,
            TypeError,
            OverflowError,
            ValueError,
            RecursionError,
        ) as error:
            raise (
                error if isinstance(error, BadValue) else BadValue(f"{type(error).__name__}: {error}")
            ) from error
        finally:
            self.is_reading = False
        self.take_extra(header)
        return value

    # Objects that are no data, on their way out.

    def _refer(self, value: Any, packer: Packer) -> Packed:
        if is_remote(value) and type.__getattribute__(_class_of(value), "_handle_asks") is self:
            return ["mine", value._handle_number]
        if isinstance(value, type):
            return self._refer_class(value)
        if isinstance(value, BaseException):
            return self._refer_error(value, packer)
        if isinstance(value, types.ModuleType) and (name := self.module_name(value)):
            return ["module", name]
        if (place := self.global_place(value)) is not None:
            return ["global", *place]
        kind = type(value)
        own_hash = kind.__hash__ not in (object.__hash__, None) and kind.__eq__ is not object.__eq__
        hashed = _hash(value) if own_hash else None
        return [
            "object",
            self._export(value),
            self._refer_class(kind),
            None if hashed is None else hex(hashed),
        ]

    def _refer_class(self, kind: type) -> Packed:
        if PLAIN_TYPES.get(kind.__name__) is kind or kind is type(None):
            return ["type", kind.__name__]
        if issubclass(kind, BaseException) and getattr(builtins, kind.__name__, None) is kind:
            return ["error-class", kind.__name__]
        number = self._export(kind)
        if number not in self._described:
            self._described.add(number)
            self._new_classes[str(number)] = self._describe(kind)
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
            "library": not self.is_own_class(kind),
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

    def module_name(self, module: types.ModuleType) -> str | None:
        """Return the name under which the other side finds a module; None if it is not to."""
        return None

    def global_place(self, value: object) -> tuple[str, str] | None:
        """Return module and name under which the other side finds an object; None if it is not to."""
        return None

    def _export(self, value: object) -> int:
        number = self._export_numbers.get(id(value))
        if number is None:
            if len(self._exports) > MAX_EXPORTS:
                raise TooMuch("More objects than may cross between a test and the code that it tests.")
            number = self._next_export
            self._next_export += 1
            self._exports[number] = value
            self._export_numbers[id(value)] = number
        return number

    def _drop_export(self, number: int) -> None:
        value = self._exports.get(number)
        if number in self._exports and not isinstance(value, type):
            del self._exports[number]
            self._export_numbers.pop(id(value), None)

    # Objects that are no data, on their way in.

    def _resolve(self, packed: list[Any], unpacker: Unpacker) -> object:
        match packed:
            case ["mine", int(number)]:
                return self._exports[number]
            case ["object", int(number), kind, hashed]:
                return self._handle(number, kind, None if hashed is None else int(exact(hashed, str), 16))
            case ["class", int(number)]:
                return self._class(number)
            case ["error-class", str(name)]:
                return _builtin_error(name)
            case ["error", int(number), kind, args, names, details]:
                return self._error(
                    number,
                    kind,
                    unpacker.unpack(args),
                    dict(zip(names, unpacker.items(details), strict=True)),
                )
            case ["module", str(name)]:
                return self.find_module(name)
            case ["global", str(module), str(name)]:
                return self.find_global(module, name)
        raise BadValue("There is no such form.")

    def find_module(self, name: str) -> object:
        """Return a module that both sides have.

        Raises:
            BadValue: The other side may name none here.
        """
        raise BadValue("No module can be named here.")

    def find_global(self, module: str, name: str) -> object:
        """Return an object of a library that both sides have.

        Raises:
            BadValue: The other side may name none here.
        """
        raise BadValue("No object can be named here.")

    def _handle(self, number: int, kind: Any, hashed: int | None) -> Handle:
        known = self._handles.get(number)
        if known is not None:
            return known  # type: ignore[no-any-return]
        handle_type = self._unpack_class(kind)
        if not isinstance(handle_type, HandleType):
            handle_type = self._plain_handle_type()
        if number in self._released:
            # It had gone, and has come again before the other side heard of that.
            self._released.remove(number)
        handle = make_handle(handle_type, number, self._asking_name, hashed)
        self._handles[number] = handle
        finalize(handle, self._released.append, number)
        return handle

    def _plain_handle_type(self) -> HandleType:
        """Return the class of objects whose class is `object` or another that is known here."""
        if -1 not in self._classes:
            about = ClassOfOther(
                name="object",
                qualified_name="object",
                module="builtins",
                doc=None,
                bases=(Handle,),
                specials=frozenset(),
                library_class=None,
                has_data=False,
                is_error=False,
            )
            self._classes[-1] = make_class(self, -1, about)
        return self._classes[-1]  # type: ignore[no-any-return]

    def _unpack_class(self, packed: Any) -> type:
        value = Unpacker(b"", lambda form: self._resolve(form, Unpacker(b""))).unpack(packed)
        if not isinstance(value, type):
            raise BadValue("This is no class.")
        return value

    def _class(self, number: int) -> type:
        if number not in self._classes:
            self._classes[number] = BadValue
            self._classes[number] = self._make_class(number, self._incoming_classes[str(number)])
        if self._classes[number] is BadValue:
            raise BadValue("A class is its own base.")
        return self._classes[number]  # type: ignore[no-any-return]

    def _make_class(self, number: int, told: Any) -> type:
        bases = [self._unpack_class(base) for base in exact(told["bases"], list)]
        name, module = exact(told["qualname"], str), exact(told["module"], str)
        is_error = any(issubclass(base, BaseException) for base in bases)
        local = self.find_class(module, name) if told["library"] is True else None
        if is_error and local is not None and issubclass(local, BaseException):
            return local
        passes_for = local or next((kind for kind in map(_passes_for, bases) if kind is not None), None)
        doc = told["doc"]
        about = ClassOfOther(
            name=exact(told["name"], str),
            qualified_name=name,
            module=module,
            doc=None if doc is None else exact(doc, str),
            bases=tuple(base for base in bases if issubclass(base, BaseException | Handle)),
            specials=frozenset(exact(special, str) for special in exact(told["specials"], list)),
            library_class=None if is_error else passes_for,
            has_data=told["data"] is True,
            is_error=is_error,
        )
        return make_class(self, number, about)

    def _error(self, number: int, kind: Any, args: Any, details: dict[Any, Any]) -> BaseException:
        error_class = self._unpack_class(kind)
        if not issubclass(error_class, BaseException):
            raise BadValue("This is no error.")
        known = self._handles.get(number)
        if type(known) is error_class:
            return known  # type: ignore[no-any-return]
        error: BaseException = (
            BaseException.__new__(error_class)
            if isinstance(error_class, HandleType)
            else error_class.__new__(error_class)
        )
        error.args = exact(args, tuple)
        if isinstance(error_class, HandleType):
            object.__setattr__(error, "_handle_number", number)
            self._handles[number] = error
        else:
            vars(error).update({exact(name, str): detail for name, detail in details.items()})
        return error


def data_base(kind: type) -> type | None:
    """Return the type of data from which a class derives; None if it derives from none, or has one's name only."""
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


def _class_of(value: Any) -> Any:
    return value if isinstance(value, HandleType) else type(value)


def _key(operation: str, values: tuple[object, ...]) -> str:
    """Return the name under which calls of what is asked for are asked for in turn."""
    match operation, values:
        case ("get", (_, str(name))):
            return name
        case ("name", _):
            return CALL
    return ""


def _passes_for(base: type) -> type | None:
    if isinstance(base, HandleType):
        found = vars(base).get("__class__")
        return found.fget(None) if isinstance(found, property) and found.fget else None
    return None if base is object else base


def _is_importable(kind: type) -> bool:
    module = kind.__module__
    if module == "__main__":
        return False
    if module == "builtins":
        return getattr(builtins, kind.__name__, None) is kind or TYPES_BY_NAME.get(kind.__name__) is kind
    return _found(sys.modules.get(module), kind.__qualname__) is kind


def _found(module: object, name: str) -> type | None:
    """Return a class by its qualified name in a module; None if there is none."""
    if module is builtins:
        value: object = getattr(builtins, name, None) or TYPES_BY_NAME.get(name)
    elif not isinstance(module, types.ModuleType) or module.__name__.partition(".")[0] in NOT_OURS:
        return None
    else:
        value = module
        for part in name.split("."):
            value = vars(value).get(part) if isinstance(value, type | types.ModuleType) else None
    return value if isinstance(value, type) else None


def _builtin_error(name: str) -> type:
    kind = getattr(builtins, name, None)
    if not (isinstance(kind, type) and issubclass(kind, BaseException)):
        raise BadValue("There is no such error.")
    return kind


def _hash(value: object) -> int | None:
    try:
        return hash(value)
    except Exception:
        # A learner's own `__hash__` may do anything; who puts the object into a set will meet it again.
        return None
