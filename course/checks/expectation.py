"""What a value has to be: the second argument of `check`."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from course.checks.description import described
from course.checks.kinds import kind_of
from course.checks.wording import say

_MAX_SEARCHED = 20_000


class Expectation(ABC):
    """A rule for a value; it may stand anywhere in expected data, as in `{"mean": approx(3, abs=0.1)}`."""

    @abstractmethod
    def differences(self, value: Any, place: str) -> Iterator[str]:
        """Yield, as sentences, where `value` is not as expected; nothing if it is.

        Called by `check`, with whatever a learner's code produced. It must not call a method of `value`
        before `kind_of` has told what it is.

        Args:
            value: To look at.
            place: Where it stands in the checked value, as "[2]['name']"; empty for the value itself.
        """


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a number may be off: by `rel` times the expected number, or by `abs`, whichever is more."""

    rel: float = 1e-9
    abs: float = 1e-12

    def __post_init__(self) -> None:
        if not (0 <= self.rel < 1 and 0 <= self.abs < float("inf")):
            raise ValueError("rel has to lie between 0 and 1, abs has to be 0 or a positive number")


@dataclass(frozen=True, slots=True)
class Approximately(Expectation):
    """Data in which every number may be off by `tolerance`."""

    expected: Any
    tolerance: Tolerance

    def differences(self, value: Any, place: str) -> Iterator[str]:
        from course.checks.comparison import differences

        return differences(value, self.expected, place, self.tolerance)


def approx(expected: Any, *, rel: float | None = None, abs: float | None = None) -> Expectation:  # noqa: A002
    """Expect numbers near `expected`, which may be any data with numbers in it: a list, a column, a table.

    Args:
        expected: The numbers.
        rel: Allowed distance as a share of the expected number; 0.01 is one percent.
        abs: Allowed distance as a number. With neither `rel` nor `abs`, one part in a million.
    """
    if rel is None and abs is None:
        return Approximately(expected, Tolerance(rel=1e-6))
    return Approximately(expected, Tolerance(rel or 0.0, abs or 0.0))


@dataclass(frozen=True, slots=True)
class Matching(Expectation):
    """A text in which a pattern is found."""

    pattern: re.Pattern[str] = field(repr=False)

    def differences(self, value: Any, place: str) -> Iterator[str]:
        if kind_of(value) != "text":
            yield at(place, say("expected a text, got {value}", value=described(value)))
        elif not self.pattern.search(value[:_MAX_SEARCHED]):
            yield at(place, say("{value} does not contain what it should", value=described(value)))


def matches(pattern: str) -> Expectation:
    r"""Expect a text in which the regular expression `pattern` is found; `(?i)` in front ignores case."""
    return Matching(re.compile(pattern))


def at(place: str, sentence: str) -> str:
    """Return a sentence about a place; about the value itself it starts with a capital letter."""
    return f"{place}: {sentence}" if place else sentence[:1].upper() + sentence[1:]
