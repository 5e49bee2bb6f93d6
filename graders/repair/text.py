"""How like one another two cells' texts are."""

from __future__ import annotations

from functools import lru_cache

TELLING_CHARACTERS = 20
"""From here on, finding a text again is no coincidence."""


@lru_cache(maxsize=2048)
def bare(text: str) -> str:
    """Return a text without what no one sees: blanks at the ends of lines, blank lines at its ends."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n").strip()


def is_same(one: str, other: str) -> bool:
    return one == other or bare(one) == bare(other)


@lru_cache(maxsize=2048)
def _lines(text: str) -> frozenset[str]:
    return frozenset(line.strip() for line in text.splitlines() if len(line.strip()) > 1)


def share(part: str, text: str) -> float:
    """Return how many of `part`'s lines are in `text`, from 0 to 1; 0 if it has none."""
    lines = _lines(part)
    return len(lines & _lines(text)) / len(lines) if lines else 0.0


def is_telling(text: str) -> bool:
    """Return whether a text is long enough to be known by it."""
    return len(bare(text)) >= TELLING_CHARACTERS
