"""An object that crosses stays one object, and a change is made on both sides."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.unit.referee.sides import cross, sides

pytestmark = pytest.mark.quick


def test_an_object_stays_one_object() -> None:
    one, other = sides()
    inner = [3, 1]
    got = cross(one, other, {"a": inner, "b": [inner, inner]})
    assert got["a"] is got["b"][0] is got["b"][1]
    assert cross(other, one, got["a"]) is inner


def test_an_object_that_holds_itself_crosses() -> None:
    own: list[Any] = [1]
    own.append(own)
    got = cross(*sides(), own)
    assert got[1] is got


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ([3, 1, 2], lambda value: value.sort()),
        ({"a": 1}, lambda value: value.update(b=[2])),
        ({1, 2}, lambda value: value.discard(1)),
        (bytearray(b"ab"), lambda value: value.append(3)),
        (deque([1]), lambda value: value.appendleft(0)),
        (Counter("a"), lambda value: value.update("bb")),
        (np.array([1.0, 2.0]), lambda value: value.fill(7)),
        (pd.Series([1, 2]), lambda value: value.__setitem__(0, 9)),
        (pd.DataFrame({"a": [1, 2]}), lambda value: value.insert(0, "z", 5)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_change_in_place_is_made_on_both_sides(value: Any, change: Any) -> None:
    one, other = sides()
    got = cross(one, other, value)
    change(got)
    cross(other, one, None)
    assert repr(value) == repr(got)


def test_nothing_is_sent_twice_unless_it_changes() -> None:
    one, other = sides()
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    cross(other, one, cross(one, other, [frame, {"a": 1}]))
    assert one.write(None)[0]["nodes"] == {}
    frame["c"] = 1
    assert len(one.write(None)[0]["nodes"]) == 1


def test_what_nobody_uses_any_more_is_dropped_on_both_sides() -> None:
    one, other = sides()
    held = [1]
    cross(one, other, (held, [2], [3]))
    gone = one.sweep()
    other.forget(gone)
    assert len(gone) == 2
    assert cross(other, one, cross(one, other, held)) is held
