"""The regions of a cell that a learner never sees: `### BEGIN SOLUTION`, `HIDDEN TESTS`, `MARK SCHEME`.

nbgrader looks for the words anywhere in a line; so do we, since what it would cut is what has to be judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SOLUTION = "SOLUTION"
HIDDEN_TESTS = "HIDDEN TESTS"
MARK_SCHEME = "MARK SCHEME"
REGIONS = (SOLUTION, HIDDEN_TESTS, MARK_SCHEME)
MARKS = tuple(f"{edge} {region}" for region in REGIONS for edge in ("BEGIN", "END"))


@dataclass(frozen=True, slots=True)
class SplitSource:
    """A cell's text, cut at the marks of one kind of region."""

    visible: tuple[str, ...]
    secret: tuple[str, ...]
    marked: bool


def split(source: str, region: str) -> SplitSource:
    """Cut `source` at the marks of `region`; an open region ends with the cell."""
    visible, secret, inside, marked = list[str](), list[str](), False, False
    for line in source.splitlines():
        if f"BEGIN {region}" in line:
            inside = marked = True
        elif f"END {region}" in line:
            inside = False
        else:
            (secret if inside else visible).append(line)
    return SplitSource(tuple(visible), tuple(secret), marked)


def unpaired_marks(source: str) -> Iterator[str]:
    """Yield what is wrong with the marks in a cell's text, as sentences without a full stop."""
    for region in REGIONS:
        inside = False
        for line in source.splitlines():
            if f"BEGIN {region}" in line:
                if inside:
                    yield f"BEGIN {region} inside another {region} region"
                inside = True
            elif f"END {region}" in line:
                if not inside:
                    yield f"END {region} without a BEGIN before it"
                inside = False
        if inside:
            yield f"BEGIN {region} without an END after it"


def has_code(lines: tuple[str, ...]) -> bool:
    """Say whether anything but comments and blank lines is among `lines`."""
    return any(line.strip() and not line.strip().startswith("#") for line in lines)
