"""Whether a value equals expected data, and where it does not.

Only data of exact, known types is read (`course.checks.kinds`). Numbers are compared by value, whether
whole, decimal or NumPy's; a truth value is no number, a list no tuple. The expected data drives
everything, so a value that is endless, cyclic or deep costs no more than it does.
"""

from __future__ import annotations

import cmath
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from course.checks.description import described, named_kind
from course.checks.expectation import Expectation, Tolerance, at
from course.checks.kinds import Kind, kind_of, plain, type_name
from course.checks.wording import say

EXACT = Tolerance()
_MAX_DEPTH = 60
_NUMBERS: frozenset[Kind] = frozenset({"whole", "decimal"})


def differences(
    value: Any, expected: Any, place: str = "", tolerance: Tolerance = EXACT, depth: int = 0
) -> Iterator[str]:
    """Yield sentences on where `value` differs from `expected`.

    Raises:
        TypeError: `expected` is not data, so nothing can be said: a mistake of the author.
    """
    if isinstance(expected, Expectation):
        yield from expected.differences(value, place)
        return
    wanted, found = kind_of(expected), kind_of(value)
    if wanted == "other":
        raise TypeError(f"check compares with data, not with an object of type {type_name(type(expected))}")
    if depth > _MAX_DEPTH:
        raise TypeError("the expected data is nested too deeply")
    if wanted in _NUMBERS and found in _NUMBERS:
        same = _close(plain(value), plain(expected), tolerance)
        yield from () if same else (_expected(value, expected, place),)
    elif wanted != found:
        yield _another_kind(value, expected, place)
    else:
        yield from _COMPARISONS.get(wanted, _scalar)(value, expected, place, tolerance, depth)


def _close(value: Any, expected: Any, tolerance: Tolerance) -> bool:
    if value == expected or (value != value and expected != expected):
        return True
    both_whole = type(value) is int and type(expected) is int
    if both_whole and tolerance is EXACT:
        return False
    try:
        return math.isclose(
            value, expected, rel_tol=0.0, abs_tol=max(tolerance.abs, tolerance.rel * abs(expected))
        )
    except OverflowError:
        return False


def _scalar(value: Any, expected: Any, place: str, _tolerance: Tolerance, _depth: int) -> Iterator[str]:
    value, expected = plain(value), plain(expected)
    try:
        same = bool(value == expected)
    except (TypeError, ValueError):
        # An aware time beside one without a time zone, a Decimal that signals.
        same = False
    if not same:
        yield _expected(value, expected, place)


def _complex(value: Any, expected: Any, place: str, tolerance: Tolerance, _depth: int) -> Iterator[str]:
    if not cmath.isclose(plain(value), plain(expected), rel_tol=tolerance.rel, abs_tol=tolerance.abs):
        yield _expected(value, expected, place)


def _text(value: Any, expected: Any, place: str, _tolerance: Tolerance, _depth: int) -> Iterator[str]:
    value, expected = str(value), str(expected)
    if value == expected:
        return
    yield _expected(value, expected, place)
    if value.split() == expected.split():
        yield at(place, say("only spaces or line ends differ"))
    elif value.casefold() == expected.casefold():
        yield at(place, say("only capital letters differ"))
    elif min(len(value), len(expected)) > 20:
        first = next(
            (index for index, pair in enumerate(zip(value, expected, strict=False)) if pair[0] != pair[1]),
            min(len(value), len(expected)),
        )
        yield at(
            place,
            say(
                "they differ from character {number}: expected {expected}, got {value}",
                number=first + 1,
                expected=described(expected[first : first + 20]),
                value=described(value[first : first + 20]),
            ),
        )


def _sequence(value: Any, expected: Any, place: str, tolerance: Tolerance, depth: int) -> Iterator[str]:
    if len(value) != len(expected):
        yield at(
            place,
            say("expected {expected} items, got {value}", expected=len(expected), value=len(value)),
        )
    for index, pair in enumerate(zip(value, expected, strict=False)):
        yield from differences(pair[0], pair[1], f"{place}[{index}]", tolerance, depth + 1)


def _parts(value: Any, expected: Any, place: str, tolerance: Tolerance, depth: int) -> Iterator[str]:
    # What is in a range or slice can be an object of any class.
    pairs = [(getattr(value, part), getattr(expected, part)) for part in ("start", "stop", "step")]
    if any(next(differences(*pair, place, tolerance, depth + 1), None) for pair in pairs):
        shown = described([part for _, part in pairs])
        yield at(place, say("expected start, stop and step {expected}", expected=shown))


def _mapping(value: Any, expected: Any, place: str, tolerance: Tolerance, depth: int) -> Iterator[str]:
    wanted = {_key(key): (key, each) for key, each in dict.items(expected)}
    found = {_key(key): (key, each) for key, each in dict.items(value)}
    if None in wanted:
        raise TypeError("keys of expected data have to be numbers, texts, dates or tuples of them")
    missing = [key for name, (key, _) in wanted.items() if name not in found]
    if missing:
        yield at(place, say("missing keys: {keys}", keys=_listed(missing)))
    extra = [key for name, (key, _) in found.items() if name not in wanted]
    if extra:
        yield at(place, say("keys that should not be there: {keys}", keys=_listed(extra)))
    for name, (key, each) in wanted.items():
        if name in found:
            yield from differences(
                found[name][1], each, f"{place}[{described(key, 40)}]", tolerance, depth + 1
            )


def _set(value: Any, expected: Any, place: str, _tolerance: Tolerance, _depth: int) -> Iterator[str]:
    wanted = {_key(each): each for each in expected}
    found = {_key(each): each for each in value}
    if None in wanted:
        raise TypeError(
            "the items of an expected set have to be plain numbers, texts, dates or tuples of them"
        )
    missing = [each for name, each in wanted.items() if name not in found]
    if missing:
        yield at(place, say("missing items: {items}", items=_listed(missing)))
    extra = [each for name, each in found.items() if name not in wanted]
    if extra:
        yield at(place, say("items that should not be there: {items}", items=_listed(extra)))


def _key(value: Any) -> tuple[Any, ...] | None:
    """Return what stands for a key in our dictionaries; None for an object: it would be asked."""
    kind = kind_of(value)
    if kind == "tuple":
        parts = tuple(map(_key, value))
        return None if None in parts else ("tuple", parts)
    if kind == "set":
        members = [_key(each) for each in value]
        return None if None in members else ("set", frozenset(members))
    if kind in ("other", "list", "mapping", "array", "column", "table", "labels", "range", "slice"):
        return None
    known = plain(value)
    if kind in _NUMBERS:
        return ("number", "nan" if known != known else known)
    return (kind, str(known) if kind == "text" else known)


def _array(value: Any, expected: Any, place: str, tolerance: Tolerance, depth: int) -> Iterator[str]:
    if value.shape != expected.shape:
        yield at(
            place,
            say("expected the shape {expected}, got {value}", expected=expected.shape, value=value.shape),
        )
        return
    if value.dtype.names or expected.dtype.names:
        yield from differences(value.tolist(), expected.tolist(), place, tolerance, depth + 1)
        return
    for index in suspects(value, expected, tolerance):
        where = f"{place}[{', '.join(map(str, _position(index, expected.shape)))}]"
        yield from differences(value.flat[index], expected.flat[index], where, tolerance, depth + 1)


def suspects(value: Any, expected: Any, tolerance: Tolerance) -> Iterable[int]:
    """Return which items to look at one by one: of two arrays of numbers, only those that are not near."""
    if value.dtype.kind not in "iuf" or expected.dtype.kind not in "iuf":
        return range(expected.size)
    numpy = sys.modules["numpy"]
    near = numpy.isclose(value, expected, rtol=tolerance.rel, atol=tolerance.abs, equal_nan=True)
    both_whole = value.dtype.kind in "iu" and expected.dtype.kind in "iu"
    if both_whole:
        near &= value == expected
    found: list[int] = numpy.flatnonzero(~near).tolist()
    return found


def _position(index: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    position: tuple[int, ...] = ()
    for length in reversed(shape):
        index, rest = divmod(index, length)
        position = (rest, *position)
    return position


def _tabular(value: Any, expected: Any, place: str, tolerance: Tolerance, _depth: int) -> Iterator[str]:
    from course.checks.tables import Tabular

    return Tabular(expected, tolerance=tolerance).differences(value, place)


def _another_kind(value: Any, expected: Any, place: str) -> str:
    if kind_of(value) == "none" and not place:
        return say("The result is None. Does the function return it, and not only print it?")
    found = described(value)
    if kind_of(value) != "other" and kind_of(value) not in ("none", "array", "column", "table", "labels"):
        found = f"{named_kind(value)}: {found}"
    return at(place, say("expected {expected}, got {value}", expected=named_kind(expected), value=found))


def _expected(value: Any, expected: Any, place: str) -> str:
    return at(
        place, say("expected {expected}, got {value}", expected=described(expected), value=described(value))
    )


def _listed(values: list[Any]) -> str:
    return described(values)[1:-1] if len(described(values)) < 120 else described(values)


_COMPARISONS: dict[Kind, Callable[[Any, Any, str, Tolerance, int], Iterator[str]]] = {
    "complex": _complex,
    "text": _text,
    "range": _parts,
    "slice": _parts,
    "list": _sequence,
    "tuple": _sequence,
    "set": _set,
    "mapping": _mapping,
    "array": _array,
    "column": _tabular,
    "table": _tabular,
    "labels": _tabular,
}
