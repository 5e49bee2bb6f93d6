"""`check` and `score`: a test that tells what is wrong, and gives part of the points.

A check without points is an assertion. A check with points prints what is wrong and returns the points it
gives, for the last expression of the cell to add up: nbgrader takes the number that a test cell shows as
partial credit. So one cell means the same in a notebook, in nbgrader and in this project's graders.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any, overload

from course.checks.calls import Call, Raised, Raising
from course.checks.comparison import differences
from course.checks.wording import say, shortened

FAILED = "✗"
"""What the message of a failed check begins with; its further lines are indented."""
MAX_DIFFERENCES = 5
INDENT = "   "
_DECIMALS = 6


@overload
def check(value: Any, expected: Any, *, message: str = "", points: None = None, tag: str = "") -> None: ...
@overload
def check(value: Any, expected: Any, *, message: str = "", points: float, tag: str = "") -> float: ...
def check(
    value: Any, expected: Any, *, message: str = "", points: float | None = None, tag: str = ""
) -> float | None:
    """Check that `value` is as expected.

    Args:
        value: What the learner's code made, or a `call` of it.
        expected: Data that it has to equal, or an expectation: `approx`, `matches`, `table`, `raises`,
            `figure`, `style`.
        message: What a learner should think about when it is not; the differences found follow it.
        points: What the check is worth, above 0. Without, a failed check ends the cell.
        tag: A word for the mistake, by which a trainer can group answers; it stands before the message.

    Returns:
        With `points`: those earned, all or none. Without: None.

    Raises:
        AssertionError: The value is not as expected, and the check has no points.
        TypeError: `expected` is neither data nor an expectation, or `raises` has no `call` to look at.
        ValueError: `points` is no number above 0.
    """
    if points is not None and not (type(points) in (int, float) and 0 < points < math.inf):
        raise ValueError("points has to be a number above 0")
    if type(expected) is Raising and type(value) is not Call:
        raise TypeError("raises needs a call: check(call(function, 1), raises(ValueError))")
    found = tuple(islice(_problems(value, expected), MAX_DIFFERENCES + 1))
    if not found:
        return None if points is None else float(points)
    text = _text(found, message, tag)
    if points is None:
        raise AssertionError(text)
    first, *rest = text.split("\n")
    print("\n".join([f"{FAILED} {first}", *(f"{INDENT}{line}" for line in rest)]))  # noqa: T201
    return 0.0


def score(*points: float) -> float:
    """Return the sum of points, as the last expression of a test cell; 0.1 and 0.2 make 0.3.

    Raises:
        TypeError: Something is not a number of points, as from a check without `points`.
    """
    if not all(type(each) in (int, float) for each in points):
        raise TypeError("score adds up points: give each of its checks some, as in check(…, points=1)")
    return round(math.fsum(points), _DECIMALS)


def _problems(value: Any, expected: Any) -> Iterator[str]:
    result = value.run() if type(value) is Call else value
    if type(result) is Raised and type(expected) is not Raising:
        yield result.sentence()
    else:
        yield from differences(result, expected)


def _text(found: tuple[str, ...], message: str, tag: str) -> str:
    lines = [f"{f'[{tag}] ' if tag else ''}{message}".strip()] if message or tag else []
    lines += found[:MAX_DIFFERENCES]
    if len(found) > MAX_DIFFERENCES:
        lines.append(say("and more differences"))
    return shortened("\n".join(lines))
