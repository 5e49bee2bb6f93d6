"""Objects of the other process that have come to this one, as handles."""

from __future__ import annotations

from typing import Any, Protocol
from weakref import WeakValueDictionary, finalize

from graders.referee.asking import Asks, ClassOfOther
from graders.referee.exports import Exports
from graders.referee.handles import Handle, HandleType, make_class, make_handle
from graders.referee.libraries import builtin_error
from graders.referee.values import BadValue, Unpacker, exact


class Library(Protocol):
    """What this side finds by a name that the other side says."""

    def find_class(self, module: str, name: str) -> type | None:
        """Return a class of a library; None if there is none of that name that is to be found."""

    def find_module(self, name: str) -> object:
        """Return a module.

        Raises:
            BadValue: The other side may name none here.
        """

    def find_global(self, module: str, name: str) -> object:
        """Return an object of a library.

        Raises:
            BadValue: The other side may name none here.
        """


class Arrivals:
    """What the other side has told this side of.

    Args:
        asks: Asks there.
        exports: This side's own objects, which come back.
        library: What this side finds by name.
    """

    def __init__(self, asks: Asks, exports: Exports, library: Library) -> None:
        self.described: dict[str, Any] = {}
        """Descriptions of classes that came with the message that is being read."""
        self.key = ""
        """The name under which calls of handles that come now are asked for, see `make_handle`."""
        self._asks = asks
        self._exports = exports
        self._library = library
        self._handles: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self._classes: dict[int, Any] = {}
        self._released: list[int] = []

    def released(self) -> list[int]:
        """Return the numbers of handles that have gone since the last call."""
        released, self._released = self._released, []
        return released

    def resolve(self, packed: list[Any], unpacker: Unpacker) -> object:
        """Return what a form stands for that the other side's `Exports` made."""
        match packed:
            case ["mine", int(number)]:
                return self._exports[number]
            case ["object", int(number), kind, hashed]:
                return self._handle(number, kind, None if hashed is None else int(exact(hashed, str), 16))
            case ["class", int(number)]:
                return self._class(number)
            case ["error-class", str(name)]:
                return builtin_error(name)
            case ["error", int(number), kind, args, names, details]:
                return self._error(
                    number,
                    kind,
                    unpacker.unpack(args),
                    dict(zip(names, unpacker.items(details), strict=True)),
                )
            case ["module", str(name)]:
                return self._library.find_module(name)
            case ["global", str(module), str(name)]:
                return self._library.find_global(module, name)
        raise BadValue("There is no such form.")

    def _handle(self, number: int, kind: Any, hashed: int | None) -> Handle:
        known = self._handles.get(number)
        if known is not None:
            return known
        handle_type = self._unpack_class(kind)
        if not isinstance(handle_type, HandleType):
            handle_type = self._plain_handle_type()
        if number in self._released:
            # It had gone, and has come again before the other side heard of that.
            self._released.remove(number)
        handle = make_handle(handle_type, number, self.key, hashed)
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
            self._classes[-1] = make_class(self._asks, -1, about)
        return self._classes[-1]

    def _unpack_class(self, packed: Any) -> type:
        value = Unpacker(b"", lambda form: self.resolve(form, Unpacker(b""))).unpack(packed)
        if not isinstance(value, type):
            raise BadValue("This is no class.")
        return value

    def _class(self, number: int) -> type:
        if number not in self._classes:
            self._classes[number] = BadValue
            self._classes[number] = self._make_class(number, self.described[str(number)])
        if self._classes[number] is BadValue:
            raise BadValue("A class is its own base.")
        return self._classes[number]

    def _make_class(self, number: int, told: Any) -> type:
        bases = [self._unpack_class(base) for base in exact(told["bases"], list)]
        name, module = exact(told["qualname"], str), exact(told["module"], str)
        is_error = any(issubclass(base, BaseException) for base in bases)
        local = self._library.find_class(module, name) if told["library"] is True else None
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
        return make_class(self._asks, number, about)

    def _error(self, number: int, kind: Any, args: Any, details: dict[Any, Any]) -> BaseException:
        error_class = self._unpack_class(kind)
        if not issubclass(error_class, BaseException):
            raise BadValue("This is no error.")
        known = self._handles.get(number)
        if type(known) is error_class:
            return known
        # Its own `__init__` may want anything.
        if isinstance(error_class, HandleType):
            error: BaseException = BaseException.__new__(error_class)  # type: ignore[arg-type]
        else:
            error = error_class.__new__(error_class)
        error.args = exact(args, tuple)
        if isinstance(error_class, HandleType):
            object.__setattr__(error, "remote__number", number)
            self._handles[number] = error
        else:
            vars(error).update(
                {name: detail for name, detail in details.items() if not exact(name, str).startswith("_")}
            )
        return error


def _passes_for(base: type) -> type | None:
    if isinstance(base, HandleType):
        found = vars(base).get("__class__")
        return found.fget(None) if isinstance(found, property) and found.fget else None
    return None if base is object else base
