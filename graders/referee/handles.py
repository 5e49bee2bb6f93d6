"""Objects of the other process, as this process sees them: each operation is asked for there.

A class of the other process is a class here, so `isinstance`, `type(x) is C`, `except MyError` and
`C.__name__` say what they would in one process. What a test compares with is never told to learner code: see
`Handle` and `Peer.may_ask`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from graders.referee.asking import Asks, ClassOfOther
from graders.referee.operations import ALL, ARITHMETIC, ASKING, COMPARING, OF_DATA, RESULTS

_ASKED_BY_NUMPY = frozenset(
    {"__array_function__", "__array_ufunc__", "__array_struct__", "__array_interface__"}
)
"""Attributes by which numpy's functions hand themselves over to what they are called with."""


class HandleType(type):
    """A class of the other process."""

    remote__asks: Asks
    remote__class_number: int
    remote__class_names: set[str]
    """Names of the attributes as which it has been reached, see `Handle.remote__names`."""
    remote__has_data: bool

    @property
    def remote__number(cls) -> int:
        return cls.remote__class_number

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return _ask_call(cls.remote__asks, cls, cls.remote__class_names, args, kwargs)

    def __getattr__(cls, name: str) -> Any:
        if name in _ASKED_BY_NUMPY and cls.remote__has_data:
            raise AttributeError(name)
        return _get(cls.remote__asks, cls, name)

    def __setattr__(cls, name: str, value: object) -> None:
        cls.remote__asks.ask("set", cls, name, value)

    def __delattr__(cls, name: str) -> None:
        cls.remote__asks.ask("del", cls, name)

    def __iter__(cls) -> Any:
        return cls.remote__asks.ask("special", cls, "__iter__")

    def __len__(cls) -> int:
        return checked("__len__", cls.remote__asks.ask("special", cls, "__len__"))

    def __getitem__(cls, key: Any) -> Any:
        return cls.remote__asks.ask("special", cls, "__getitem__", key)


class Handle(metaclass=HandleType):
    """An object of the other process.

    Comparing it with plain data is decided here, by its data if it is of a subclass of a type of data, and
    otherwise says that they differ: its own code might say that it equals anything. For the same reason an
    operation with plain data, or a call that passes some, is only made where `Asks.may_ask` says that the
    test asks such a thing of the instructor's objects too.
    """

    __slots__ = ("__weakref__", "remote__data", "remote__hash", "remote__names", "remote__number")
    __spoc_remote__ = True
    """Tells `course.checks.figures` that this stands for a chart, if it is one."""
    remote__has_data = False
    remote__number: int
    remote__hash: int | None
    remote__data: tuple[int, Any]
    """A turn of the other side, and its data then, asked once: its code may say something else each time."""
    remote__names: set[str]
    """The names under which calling it with plain data is asked for, all of them: of each attribute as which
    it has been reached, since another object may call itself a method, and `CALL` if no test has named it."""

    def __getattr__(self, name: str) -> Any:
        if self.remote__has_data:
            # `np.matrix` and its like are to numpy's functions the arrays that they hold.
            if name in _ASKED_BY_NUMPY:
                raise AttributeError(name)
            if name == "__array__":
                return partial(_as_array, self)
        return _get(_asks(self), self, name)

    def __setattr__(self, name: str, value: object) -> None:
        _asks(self).ask("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        _asks(self).ask("del", self, name)

    def __dir__(self) -> list[str]:
        return [str(name) for name in _asks(self).ask("dir", self)]

    def __hash__(self) -> int:
        if self.remote__hash is None:
            return hash(self.remote__number)
        # A set that comes as a value is put together from what is known.
        return self.remote__hash if _asks(self).is_reading else int(_special(self, "__hash__"))

    def __str__(self) -> str:
        return str(_special(self, "__str__"))

    def __repr__(self) -> str:
        return str(_special(self, "__repr__"))

    def __format__(self, form: str) -> str:
        return str(_special(self, "__format__", form))

    def __eq__(self, other: object) -> bool:
        return _compare(self, "__eq__", other)

    def __ne__(self, other: object) -> bool:
        return _compare(self, "__ne__", other)


def checked(name: str, value: Any) -> Any:
    """Return the result of an operation.

    Raises:
        TypeError: It is not exactly what Python asks of such a result.
    """
    wanted = RESULTS.get(name)
    if wanted is not None and type(value) is not wanted:
        raise TypeError(f"{name} returned no {wanted.__name__}")
    return value


def _asks(handle: object) -> Asks:
    return type(handle).remote__asks  # type: ignore[attr-defined]


def is_remote(value: object) -> bool:
    """Return whether this is an object or a class of the other process."""
    return isinstance(type(value), HandleType) or isinstance(value, HandleType)


def _special(handle: Handle, name: str, *values: object) -> Any:
    return checked(name, _asks(handle).ask("special", handle, name, *values))


def _data(handle: Handle) -> Any:
    """Return the data of an object that derives from a type of data: the same until other code may run.

    Raises:
        TypeError: It has none.
    """
    asks = _asks(handle)
    if handle.remote__data[0] != asks.turn:
        data = asks.ask("data", handle)
        if is_remote(data):
            raise TypeError(f"There is no data in {_name(handle)}")
        object.__setattr__(handle, "remote__data", (asks.turn, data))
    return handle.remote__data[1]


def _as_array(handle: Handle, dtype: Any = None, copy: bool | None = None) -> Any:
    import numpy

    return numpy.array(_data(handle), dtype=dtype, copy=copy)


def _read(handle: Handle, name: str, *values: object) -> Any:
    """Return what an operation gives that tells nothing of what a test expects."""
    if not handle.remote__has_data or name not in OF_DATA:
        return _special(handle, name, *values)
    data = _data(handle)
    if name == "__getitem__" and isinstance(data, dict) and values[0] not in data:
        # `Counter` and `defaultdict` have an item for every key.
        if not _asks(handle).may_ask("__missing__"):
            raise KeyError(*values)
        return _special(handle, name, *values)
    return ALL[name](data, *values)


def _compare(handle: Handle, name: str, other: object) -> bool:
    if other is handle and name in ("__eq__", "__ne__"):
        return name == "__eq__"
    if handle.remote__has_data and not (is_remote(other) and not getattr(other, "remote__has_data", False)):
        mine, others = _data(handle), _data(other) if isinstance(other, Handle) else other
        return ALL[name](mine, others)
    if is_remote(other):
        return bool(_special(handle, name, other))
    if name in ("__eq__", "__ne__"):
        return name == "__ne__"
    raise TypeError(f"{_name(handle)} cannot be compared with {type(other).__name__} here")


def _operate(handle: Handle, name: str, other: object) -> Any:
    if name in ASKING and handle.remote__has_data:
        return ALL[name](_data(handle), other)
    if is_remote(other) or _asks(handle).may_ask(name):
        return _special(handle, name, other)
    if handle.remote__has_data:
        return ALL[name](_data(handle), other)
    raise TypeError(f"{_name(handle)} cannot be asked for {name} with {type(other).__name__} here")


def _get(asks: Asks, holder: object, name: str) -> Any:
    """Return an attribute, and remember of an object of the other process that it was reached by it."""
    value = asks.ask("get", holder, name)
    if isinstance(value, HandleType):
        value.remote__class_names.add(name)
    elif isinstance(value, Handle):
        value.remote__names.add(name)
    return value


def _ask_call(
    asks: Asks, function: object, names: set[str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if any(not is_remote(value) for value in (*args, *kwargs.values())):
        refused = [name for name in sorted(names) if not asks.may_ask(name)]
        if refused:
            raise TypeError(f"{', '.join(refused)} of an object that is no plain data is not called here")
    return asks.ask("call", function, args, kwargs)


def _call(handle: Handle, *args: Any, **kwargs: Any) -> Any:
    return _ask_call(_asks(handle), handle, handle.remote__names, args, kwargs)


def _name(handle: Handle) -> str:
    return type(handle).__name__


def _method(name: str) -> Callable[..., Any]:
    if name == "__call__":
        return _call
    if name in COMPARING:
        return lambda self, other: _compare(self, name, other)
    if name in ARITHMETIC or name in ASKING:
        return lambda self, other: _operate(self, name, other)
    return lambda self, *values: _read(self, name, *values)


class _Doc:
    """The text of a class, and of each of its objects."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    def __get__(self, handle: object, kind: type | None = None) -> Any:
        return self._text if handle is None else _asks(handle).ask("get", handle, "__doc__")


class RemoteError:
    """What errors of the other process's own classes have: attributes that are asked for there."""

    remote__number: int
    remote__hash: int | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("__", "remote__")):
            raise AttributeError(name)
        return _get(_asks(self), self, name)


def make_class(asks: Asks, number: int, about: ClassOfOther) -> HandleType:
    """Return a class that stands for one of the other process.

    Args:
        asks: Asks there.
        number: Of the class, there.
        about: What is known of it.
    """
    attributes: dict[str, Any] = {
        "__module__": about.module,
        "__qualname__": about.qualified_name,
        "__doc__": _Doc(about.doc),
    }
    if about.is_error:
        bases = (
            about.bases
            if any(issubclass(base, RemoteError) for base in about.bases)
            else (RemoteError, *about.bases)
        )
    else:
        bases = tuple(base for base in about.bases if base is not Handle) or (Handle,)
        methods = {name: _method(name) for name in about.specials if name in ALL or name == "__call__"}
        attributes |= {"__slots__": (), **methods}
        if about.library_class is not None:
            attributes["__class__"] = property(lambda self: about.library_class)
    made = HandleType(about.name, bases, attributes)
    known = {"asks": asks, "class_number": number, "class_names": set(), "has_data": about.has_data}
    for name, value in known.items():
        type.__setattr__(made, f"remote__{name}", value)
    return made


def make_handle(kind: HandleType, number: int, name: str, hashed: int | None) -> Handle:
    """Return what stands for an object of the other process.

    Args:
        kind: Its class.
        number: Its number, there.
        name: Under which calling it is asked for; empty if a test named it itself.
        hashed: Its hash, if it has its own.
    """
    handle: Handle = object.__new__(kind)  # type: ignore[arg-type]
    object.__setattr__(handle, "remote__number", number)
    object.__setattr__(handle, "remote__names", {name} if name else set())
    object.__setattr__(handle, "remote__hash", hashed)
    object.__setattr__(handle, "remote__data", (-1, None))
    return handle
