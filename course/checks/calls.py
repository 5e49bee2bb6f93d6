"""Calls of a learner's function: what it returned, or what it raised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from course.checks.description import described
from course.checks.expectation import Expectation, at
from course.checks.kinds import is_in, type_name
from course.checks.wording import say, shortened

_MAX_TEXT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Call:
    """A call that `check` makes, so that an error costs the points of this check, not of the whole cell."""

    function: Callable[..., Any]
    positional: tuple[Any, ...]
    named: dict[str, Any]

    def run(self) -> Any:
        """Return what the function returns, or `Raised`."""
        try:
            return self.function(*self.positional, **self.named)
        # An exit is the learner's too; an interrupt is not, it ends a cell that ran too long.
        except (Exception, SystemExit) as error:
            return Raised(error)


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception that a learner's code raised; nothing of it is called."""

    error: BaseException

    def is_a(self, kinds: tuple[type[BaseException], ...]) -> bool:
        """Return whether it is of one of these classes or of a subclass; a metaclass has no say."""
        line: tuple[type, ...] = type.__dict__["__mro__"].__get__(type(self.error))
        return any(is_in(each, kinds) for each in line)

    @property
    def text(self) -> str:
        """What it was raised with, if that was text."""
        arguments: tuple[Any, ...] = BaseException.__dict__["args"].__get__(self.error)
        texts = [each for each in arguments if type(each) is str]
        return shortened(" ".join(texts[:3]), _MAX_TEXT_LENGTH)

    def sentence(self) -> str:
        """Return what happened, for the learner."""
        if self.is_a((NotImplementedError,)):
            return say("You have not written this yet.")
        name = type_name(type(self.error))
        return say("It stops with {error}.", error=f"{name}: {self.text}" if self.text else name)


@dataclass(frozen=True, slots=True)
class Raising(Expectation):
    """A call that has to raise."""

    kinds: tuple[type[BaseException], ...]
    text: str

    def differences(self, value: Any, place: str) -> Iterator[str]:
        wanted = " / ".join(map(type_name, self.kinds))
        if type(value) is not Raised:
            yield at(
                place, say("expected a {error}, got the result {value}", error=wanted, value=described(value))
            )
        elif not value.is_a(self.kinds):
            yield at(place, say("expected a {error}. {what}", error=wanted, what=value.sentence()))
        elif self.text.casefold() not in value.text.casefold():
            yield at(
                place,
                say(
                    "the {error} should say {text}, it says {value}",
                    error=wanted,
                    text=described(self.text),
                    value=described(value.text),
                ),
            )


def call(function: Callable[..., Any], /, *positional: Any, **named: Any) -> Call:
    """Return a call for `check` to make: `check(call(mean, [1, 2]), 1.5)`."""
    return Call(function, positional, named)


def raises(*kinds: type[BaseException], text: str = "") -> Expectation:
    """Expect a `call` to raise one of `kinds`.

    Args:
        kinds: Classes of exceptions; a subclass will do.
        text: What its message has to contain, in whatever case; empty for anything.

    Raises:
        TypeError: There is no kind, or one is not a class of exceptions.
    """
    if not kinds or not all(isinstance(each, type) and issubclass(each, BaseException) for each in kinds):
        raise TypeError("raises expects classes of exceptions, such as raises(ValueError)")
    return Raising(kinds, text)
