"""Two processes that ask each other about their objects, one of them with learner code in it.

Each asks, and while it waits for the answer it answers what the other asks: so the learner's code can call a
function of the test that called it.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from graders.forkserver.channel import BadMessage, Channel, ChannelClosed, Message, MessageTooLarge
from graders.referee.arrivals import Arrivals
from graders.referee.asking import CALL
from graders.referee.exports import Exports
from graders.referee.libraries import find_class
from graders.referee.sharing import Sharing, TooMuch
from graders.referee.values import BadValue, exact

_PASSIVE = frozenset({"data", "name"})
"""Questions that run no code of the other side's, so that all else stays as it was."""
MAX_NESTING = 40
MAX_IGNORED = 10_000


NO_ANSWER = "The learner's process gives no answer"


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
        self.exports = Exports(self, self)
        self._arrivals = Arrivals(self, self.exports, self)
        self._sharing = Sharing(first, self.exports.refer, self._arrivals.resolve)
        self._nesting = 0
        self.is_reading = False
        self.turn = 0

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

    def module_name(self, module: types.ModuleType) -> str | None:
        """Return the name under which the other side finds a module; None if it is not to."""
        return None

    def global_place(self, value: object) -> tuple[str, str] | None:
        """Return module and name under which the other side finds an object; None if it is not to."""
        return None

    def find_class(self, module: str, name: str) -> type | None:
        """Return this side's class of that name in a library."""
        return find_class(sys.modules.get(module), name)

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
        passive = operation in _PASSIVE
        self.turn += not passive
        self._nesting += 1
        outer, self._arrivals.key = self._arrivals.key, _key(operation, values)
        try:
            if self._nesting > MAX_NESTING:
                raise RecursionError(
                    "maximum recursion depth exceeded between a test and the code that it tests"
                )
            self._send(operation, values)
            return self._answer()
        except (ChannelClosed, BadMessage, TimeoutError) as error:
            raise self._lose(f"{NO_ANSWER}: {error}") from error
        except BadValue as error:
            raise self._lose(f"What the learner's process answers makes no sense: {error}") from error
        finally:
            self._nesting -= 1
            self.turn += not passive
            self._arrivals.key = outer

    def answer(self, message: Message) -> None:
        """Do what the other side asks, and send it what comes of it."""
        operation = str(message.header.get("op"))
        outcome: object
        self.turn += 1
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
        self.exports.new_classes = {}
        self.exports.lends_classes = operation not in ("reply", "raised")
        body, blob = self._sharing.write(value)
        gone = self._sharing.sweep() if self._asks_first else []
        header = {
            "op": operation,
            **body,
            "classes": self.exports.new_classes,
            "gone": gone,
            "released": self._arrivals.released(),
            **self.extra(),
        }
        self.channel.send(header, blob)

    def _read(self, message: Message) -> Any:
        header = message.header
        self.is_reading = True
        try:
            for number in exact(header.get("released", []), list):
                self.exports.drop(exact(number, int))
            self._arrivals.described = exact(header.get("classes", {}), dict)
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


def _key(operation: str, values: tuple[object, ...]) -> str:
    """Return the name under which calls of what is asked for are asked for in turn; empty for none."""
    match operation, values:
        case ("get", (_, str(name))):
            return name
        case ("name", _):
            return ""
    return CALL
