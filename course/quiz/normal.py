"""When two answers say the same."""

from __future__ import annotations

import unicodedata

_QUOTES = str.maketrans({"‘": "'", "’": "'", "ʼ": "'", "“": '"', "”": '"'})
_ROUNDING = 1e-9
"""What binary floating point may add to a difference, relative to the numbers."""


def normal_text(text: str) -> str:
    """Return `text` without what does not matter: case, spacing, invisible characters, typographic quotes.

    Two spellings that Unicode calls compatible (NFKC) become one.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.translate(_QUOTES)).casefold())
    return "".join(char for char in folded if not char.isspace() and unicodedata.category(char) != "Cf")


def is_near(value: float, target: float, tolerance: float) -> bool:
    """Return whether `value` is at most `tolerance` (absolute) away from `target`; never for NaN."""
    rounding = _ROUNDING * max(1.0, abs(value), abs(target))
    return abs(value - target) <= tolerance + rounding
