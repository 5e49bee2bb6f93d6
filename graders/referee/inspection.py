"""Answers a referee in the learner's process: names, calls, attributes, operations.

Nothing here is trusted, since learner code can change all of it. What it says is checked where it arrives.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from graders.forkserver.channel import Channel, Message
from graders.referee.folder import Folder
from graders.referee.libraries import data_base
from graders.referee.operations import ALL
from graders.referee.peer import Peer
from graders.referee.printed import PrintedStream
from graders.referee.sharing import TooMuch

MAX_PRINTED = 1_000_000


class Inspection(Peer):
    """What the referee may ask of a learner's namespace: everything.

    Args:
        channel: To the referee.
        namespace: The learner's.
    """

    def __init__(self, channel: Channel, namespace: MutableMapping[str, Any]) -> None:
        super().__init__(channel, first=1)
        self._namespace = namespace
        self._printed = _Printed()
        self._folder = Folder()
        self._speaks = threading.RLock()
        self._is_asked = False

    def handle(self, message: Message) -> None:
        """Answer one question of the referee; what code prints meanwhile goes with the answer."""
        with self._printed.instead_of_standard_streams():
            self._is_asked = True
            self.answer(message)

    def ask(self, operation: str, *values: object) -> Any:
        # The code that a test calls may call it back from threads of its own: one at a time, and only
        # while the test waits for an answer.
        with self._speaks:
            if not self._is_asked:
                raise RuntimeError("The test that could be asked this does not wait for this code.")
            return super().ask(operation, *values)

    def _send(self, operation: str, value: object) -> None:
        with self._speaks:
            super()._send(operation, value)
            if self._nesting == 0:
                self._is_asked = False

    def perform(self, operation: str, values: list[Any]) -> Any:
        match operation, values:
            case "begin", [seconds, roots, kept]:
                # Whatever the code that is called does: it ends when the test's time is up.
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                signal.setitimer(signal.ITIMER_REAL, seconds)
                self._folder = Folder(roots, kept)
                return [name for name in self._namespace if type(name) is str]
            case "name", [name]:
                return self._namespace[name]
            case "call", [function, args, kwargs]:
                return function(*args, **kwargs)
            case "get", [value, name]:
                return getattr(value, name)
            case "set", [value, name, new]:
                return setattr(value, name, new)
            case "del", [value, name]:
                return delattr(value, name)
            case "dir", [value]:
                return dir(value)
            case "special", [value, name, *others]:
                return ALL[name](value, *others)
            case "data", [value]:
                return _data_of(value)
            case "seed", [library, args]:
                return _seed(library, args)
        raise LookupError(f"There is no operation {operation!r}.")

    def extra(self) -> dict[str, Any]:
        return {"printed": self._printed.take(), "files": self._folder.changes()}

    def take_extra(self, header: dict[str, Any]) -> None:
        self._folder.apply(header.get("files"))

    def find_module(self, name: str) -> object:
        return import_module(name)

    def find_global(self, module: str, name: str) -> object:
        value: object = import_module(module)
        for part in name.split("."):
            value = getattr(value, part)
        return value

    def find_class(self, module: str, name: str) -> type | None:
        if (known := super().find_class(module, name)) is not None or module == "builtins":
            return known
        found = self.find_global(module, name)
        return found if isinstance(found, type) else None


def _data_of(value: Any) -> Any:
    """Return the data that an object of a subclass of a type of data holds, as that type."""
    base = data_base(type(value))
    if base is None:
        raise TypeError("There is no data in it.")
    if base in (list, tuple, set, frozenset):
        return base(base.__iter__(value))
    if base is dict:
        return dict(dict.items(value))
    if base is str:
        return str.__str__(value)
    if base in (int, float, complex):
        return base.__pos__(value)
    if base.__name__ == "ndarray":
        return value.view(base).copy()
    return base(value)


def _seed(library: str, args: tuple[Any, ...]) -> None:
    if library == "random":
        import random

        random.seed(*args)
    else:
        import numpy

        numpy.random.seed(*args)


class _Printed:
    """What code printed since the last message, as pairs of stream and text."""

    def __init__(self) -> None:
        self._parts: list[list[str]] = []
        self._size = 0

    def write(self, stream: str, text: str) -> None:
        self._size += len(text)
        if self._size > MAX_PRINTED:
            raise TooMuch("The code prints more than a test can hold.")
        if self._parts and self._parts[-1][0] == stream:
            self._parts[-1][1] += text
        else:
            self._parts.append([stream, text])

    def take(self) -> list[list[str]]:
        parts, self._parts = self._parts, []
        return parts

    @contextmanager
    def instead_of_standard_streams(self) -> Iterator[None]:
        outer = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = PrintedStream(self.write, "stdout"), PrintedStream(self.write, "stderr")
        try:
            yield
        finally:
            sys.stdout, sys.stderr = outer
