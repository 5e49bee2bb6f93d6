"""A value that crosses is the same on the other side, or does not cross."""

from __future__ import annotations

import datetime
import math
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.referee.values import NotData
from tests.unit.referee.sides import cross, sides

pytestmark = pytest.mark.quick


def same(one: Any, other: Any) -> bool:
    """Return whether two values are equal in type, NaN and order too."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return (one == other and math.copysign(1, one) == math.copysign(1, other)) or (
            one != one and other != other
        )
    if isinstance(one, list | tuple | deque):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one), list(other)) and same(list(one.values()), list(other.values()))
    return bool(one == other)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters()),
    st.binary(),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.uuids(),
)

keys = st.one_of(st.integers(), st.text(), st.tuples(st.integers(), st.booleans()))

values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner), st.tuples(inner, inner), st.dictionaries(keys, inner), st.lists(inner).map(deque)
    ),
    max_leaves=12,
)


@given(values)
def test_a_value_is_the_same_on_the_other_side(value: object) -> None:
    assert same(cross(*sides(), value), value)


@given(st.sets(keys), st.frozensets(keys))
def test_sets_are_the_same_on_the_other_side(changing: set[Any], fixed: frozenset[Any]) -> None:
    assert cross(*sides(), (changing, fixed)) == (changing, fixed)


@pytest.mark.parametrize(
    "value",
    [
        1j,
        complex("nan"),
        range(1, 9, 2),
        slice(1, None),
        ...,
        NotImplemented,
        10**400,
        -(2**64),
        int,
        type(None),
        Counter("abca"),
        OrderedDict(b=1, a=2),
        defaultdict(list, {1: [2]}),
        bytearray(b"ab"),
        Path("data/a.csv"),
        np.float64(2.5),
        np.float32("nan"),
        np.int8(3),
        np.uint64(2**63),
        np.bool_(True),
        np.str_("é"),
        np.str_(""),
        np.bytes_(b""),
        np.complex64(1j),
        np.datetime64("2026-01-01"),
        np.timedelta64(3, "h"),
        np.dtype("f8"),
        np.dtype("<M8[ns]"),
        pd.Timestamp("2026-01-01 12:00:00.123456789"),
        pd.Timestamp("2026-03-29 04:00", tz="Europe/Paris"),
        pd.Timedelta("3s"),
        pd.NaT,
        pd.NA,
        pd.Period("2026-01", freq="M"),
        pd.Interval(1, 2, closed="left"),
        zoneinfo.ZoneInfo("Europe/Paris"),
        datetime.UTC,
        Decimal("1.20"),
        Fraction(1, 3),
    ],
    ids=repr,
)
def test_each_kind_of_value_is_the_same_on_the_other_side(value: object) -> None:
    got = cross(*sides(), value)
    assert type(got) is type(value)
    assert repr(got) == repr(value)


class Always(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


class Pair(NamedTuple):
    one: int
    other: int


class Number(IntEnum):
    ONE = 1


class OwnFrame(pd.DataFrame):
    pass


class OwnZone(zoneinfo.ZoneInfo):
    pass


@pytest.mark.parametrize(
    "value",
    [
        Always(3),
        Number.ONE,
        [Always(3)],
        (1, [Always(3)]),
        {"a": Always(3)},
        Pair(1, 2),
        OwnFrame({"a": [1]}),
        object(),
        len,
        Always,
        lambda: 1,
        np.ma.masked_array([1]),
        np.array([Always(3)], dtype=object),
        datetime.datetime(2026, 1, 1, tzinfo=OwnZone("UTC")),
        pd.Series([Always(3)], dtype=object),
        pd.DataFrame({"a": pd.Series([Always(3)], dtype=object)}),
        np.array([([1],)], dtype=[("a", object)]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_object_with_an_equality_of_its_own_never_crosses_as_data(value: object) -> None:
    with pytest.raises(NotData):
        sides()[0].write(value)


@pytest.mark.parametrize(
    "zone",
    [
        datetime.UTC,
        datetime.timezone(datetime.timedelta(hours=-3, minutes=-30)),
        datetime.timezone(datetime.timedelta(hours=1), "CET"),
        datetime.timezone(datetime.timedelta(0), "WET"),
    ],
)
def test_a_time_zone_keeps_its_name(zone: datetime.timezone) -> None:
    moment = datetime.datetime(2020, 5, 17, tzinfo=zone)
    assert repr(cross(*sides(), moment)) == repr(moment)


@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
@pytest.mark.parametrize("fold", [0, 1])
def test_a_time_that_comes_twice_stays_the_one_it_is(fold: int, zone: str | None) -> None:
    stamp = pd.Timestamp(
        year=2020, month=10, day=25, hour=2, minute=30, fold=fold, tz=zone and zoneinfo.ZoneInfo(zone)
    )
    crossed = cross(*sides(), stamp)
    assert (crossed, crossed.fold, crossed.utcoffset()) == (stamp, fold, stamp.utcoffset())
