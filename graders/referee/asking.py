"""How objects of the other process are asked for, and what is known of their classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

CALL = "()"
"""The name of a call of what no attribute led to."""


class Asks(Protocol):
    """Who asks the other process."""

    is_reading: bool
    """Whether an answer is just being read, and nothing can be asked."""
    turn: int
    """Grows whenever the other side may have changed its objects."""

    def ask(self, operation: str, handle: object, *values: object) -> Any:
        """Return what the other process answers, or raise what it raised."""

    def may_ask(self, name: str) -> bool:
        """Return whether an object may be told something in a call or an operation of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassOfOther:
    """What is known of a class of the other process."""

    name: str
    qualified_name: str
    module: str
    doc: str | None
    bases: tuple[type, ...]
    """What stands for its bases here."""
    specials: frozenset[str]
    """What its objects can do."""
    library_class: type | None
    """The class of this process for whose objects its objects pass, to `isinstance`."""
    has_data: bool
    """Whether it derives from a type of data."""
    is_error: bool
