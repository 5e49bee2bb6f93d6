"""What crosses between a test and the code that it tests stays what it was, or does not cross."""

from __future__ import annotations

import datetime
import json
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
from pandas.testing import assert_frame_equal, assert_index_equal, assert_series_equal

from graders.referee.sharing import Sharing
from graders.referee.values import BadValue, NotData, Packer, Unpacker

pytestmark = pytest.mark.quick


def refuse(value: object, *_: object) -> Any:
    raise NotData(type(value).__name__)


def sides() -> tuple[Sharing, Sharing]:
    return Sharing(0, refuse, refuse), Sharing(1, refuse, refuse)


def cross(sender: Sharing, receiver: Sharing, value: object) -> Any:
    header, blob = sender.write(value)
    return receiver.read(json.loads(json.dumps(header, allow_nan=False)), blob)


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
        *(
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
        ),
        *(
            Counter("abca"),
            OrderedDict(b=1, a=2),
            defaultdict(list, {1: [2]}),
            bytearray(b"ab"),
            Path("data/a.csv"),
        ),
        *(
            np.float64(2.5),
            np.float32("nan"),
            np.int8(3),
            np.uint64(2**63),
            np.bool_(True),
            np.str_("é"),
            np.complex64(1j),
        ),
        *(np.datetime64("2026-01-01"), np.timedelta64(3, "h"), np.dtype("f8"), np.dtype("<M8[ns]")),
        *(pd.Timestamp("2026-01-01 12:00:00.123456789"), pd.Timestamp("2026-03-29 04:00", tz="Europe/Paris")),
        *(
            pd.Timedelta("3s"),
            pd.NaT,
            pd.NA,
            pd.Period("2026-01", freq="M"),
            pd.Interval(1, 2, closed="left"),
        ),
        *(zoneinfo.ZoneInfo("Europe/Paris"), datetime.UTC, Decimal("1.20"), Fraction(1, 3)),
    ],
    ids=repr,
)
def test_each_kind_of_value_is_the_same_on_the_other_side(value: object) -> None:
    got = cross(*sides(), value)
    assert type(got) is type(value)
    assert repr(got) == repr(value)


@pytest.mark.parametrize(
    "array",
    [
        *(
            np.arange(6).reshape(2, 3),
            np.arange(6).reshape(2, 3).T,
            np.array(3.5),
            np.zeros((0, 3)),
            np.array([True, False]),
        ),
        *(
            np.array(["a", None, [1], 2.5], dtype=object),
            np.array(["ab", "c"]),
            np.array([b"x"]),
            np.array([1, np.nan, np.inf]),
        ),
        *(
            np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
            np.array(["2026-01-01", "NaT"], dtype="M8[s]"),
        ),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_an_array_is_the_same_on_the_other_side(array: np.ndarray[Any, Any]) -> None:
    got = cross(*sides(), array)
    assert (got.dtype, got.shape, got.tolist() if array.dtype.kind != "M" else got.astype("i8").tolist()) == (
        *(array.dtype, array.shape),
        pytest.approx(array.tolist(), nan_ok=True)
        if array.dtype.kind == "f"
        else got.tolist()
        if array.dtype.kind != "M"
        else array.astype("i8").tolist(),
    )
    assert repr(got) == repr(array)


COLUMNS = {
    "int": pd.Series([1, 2, 3]),
    "float": pd.Series([1.5, np.nan, np.inf]),
    "text": pd.Series(["a", None, "c"]),
    "mixed": pd.Series([1, "a", None], dtype=object),
    "none-and-nan": pd.Series([None, np.nan, "x"], dtype=object),
    "bool": pd.Series([True, False, True]),
    "Int64": pd.Series([1, None, 3], dtype="Int64"),
    "UInt8": pd.Series([1, None, 3], dtype="UInt8"),
    "Float32": pd.Series([1.5, None, 3], dtype="Float32"),
    "boolean": pd.Series([True, None, False], dtype="boolean"),
    "string": pd.Series(["a", None, "c"], dtype="string"),
    "category": pd.Series(["b", "a", None], dtype=pd.CategoricalDtype(["b", "a", "c"], ordered=True)),
    "date": pd.Series(pd.to_datetime(["2026-01-01", None, "2026-01-03"])),
    "zone": pd.Series(pd.date_range("2026-03-28", periods=3, tz="Europe/Paris")),
    "duration": pd.Series(pd.to_timedelta(["1s", None, "3h"])),
    "period": pd.Series(pd.period_range("2026", periods=3, freq="M")),
    "interval": pd.Series(pd.interval_range(0, 3)),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_keeps_its_dtype_and_what_is_missing(name: str) -> None:
    got = cross(*sides(), COLUMNS[name].rename("n"))
    assert_series_equal(got, COLUMNS[name].rename("n"), check_exact=True)
    assert [type(item) for item in got] == [type(item) for item in COLUMNS[name]]


@pytest.mark.parametrize(
    "index",
    [
        *(
            pd.RangeIndex(4, name="r"),
            pd.Index([3, 1, 2]),
            pd.Index(["a", None]),
            pd.Index([1, "a"], dtype=object),
        ),
        *(
            pd.date_range("2026-01-01", periods=3, freq="MS"),
            pd.DatetimeIndex(["2026-01-01", "2026-05-02"], tz="UTC"),
        ),
        *(
            pd.period_range("2026", periods=2, freq="Q"),
            pd.timedelta_range("1s", periods=2),
            pd.interval_range(0, 2),
        ),
        *(
            pd.CategoricalIndex(["a", "b", "a"]),
            pd.MultiIndex.from_tuples([(1, "a"), (2, "b")], names=["p", None]),
        ),
    ],
    ids=lambda index: type(index).__name__,
)
def test_an_index_keeps_its_type_names_and_frequency(index: pd.Index) -> None:
    got = cross(*sides(), index)
    assert_index_equal(got, index, exact=True, check_exact=True)
    assert got.names == index.names
    assert getattr(got, "freq", None) == getattr(index, "freq", None)


@pytest.mark.parametrize(
    "frame",
    [
        *(
            pd.DataFrame(COLUMNS),
            pd.DataFrame(),
            pd.DataFrame({"a": [1]}).head(0),
            pd.DataFrame(np.ones((2, 2)), columns=["a", "a"]),
        ),
        pd.DataFrame({"a": [1, 1, 2], "v": [3.0, 4.0, 5.0]}).groupby("a").agg(["sum", "mean"]),
    ],
    ids=lambda frame: f"{frame.shape}",
)
def test_a_table_is_the_same_on_the_other_side(frame: pd.DataFrame) -> None:
    assert_frame_equal(cross(*sides(), frame), frame, check_exact=True)


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
        *(
            Always(3),
            Number.ONE,
            [Always(3)],
            (1, [Always(3)]),
            {"a": Always(3)},
            Pair(1, 2),
            OwnFrame({"a": [1]}),
        ),
        *(object(), len, Always, lambda: 1, np.ma.masked_array([1]), np.array([Always(3)], dtype=object)),
        *(datetime.datetime(2026, 1, 1, tzinfo=OwnZone("UTC")), pd.Series([Always(3)], dtype=object)),
        *(
            pd.DataFrame({"a": pd.Series([Always(3)], dtype=object)}),
            np.array([([1],)], dtype=[("a", object)]),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_object_with_an_equality_of_its_own_never_crosses_as_data(value: object) -> None:
    with pytest.raises(NotData):
        sides()[0].write(value)


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


HOSTILE_FORMS = [
    *(
        [],
        [1],
        [None],
        ["nothing"],
        ["int", "zz"],
        ["int", 3],
        ["float", "1"],
        ["float", 0.5],
        {"a": 1},
        ["tuple", ["tuple", []]],
    ),
    *(
        ["bytes", [0, 99]],
        ["bytes", [-1, 1]],
        ["bytes", [True, 1]],
        ["bytes", "x"],
        ["complex", "1", "2"],
        ["complex", 1.0],
    ),
    *(
        ["range", 1, 2, 0],
        ["range", "a", 1, 1],
        ["fraction", 1, 0],
        ["decimal", "x"],
        ["date", "2026-13-01"],
        ["date", 3],
    ),
    *(
        ["datetime", "x", 0, None],
        ["datetime", "2026-01-01", 7, None],
        ["datetime", "2026-01-01", 0, ["zone", "../etc/passwd"]],
    ),
    *(
        ["tz", ["offset", 99, 0, 0]],
        ["type", "exec"],
        ["type", "Exception"],
        ["frozenset", ["@", 1]],
        ["path", 3],
        ["uuid", "x"],
    ),
    *(
        ["np.scalar", "|O8", [0, 8]],
        ["np.scalar", "<f8", [0, 4]],
        ["np.dtype", "O"],
        ["np.dtype", "f8,O"],
        ["np.nothing"],
    ),
    *(
        ["pd.Index", ["range", 1, 2, 0]],
        ["pd.Index", ["range", None, "a", 2, 1]],
        ["pd.Index", ["multi", [], [], []]],
    ),
    *(
        ["pd.array", "masked", "Int64", None, None],
        ["pd.array", "categories", None, None, True],
        ["pd.array", "text", "x", True, [1]],
    ),
    *(
        ["pd.Timestamp", 1, "x", None, 0],
        ["pd.Timestamp", "1", "ns", None, 0],
        ["pd.missing", "None"],
        ["pd.nothing"],
        ["pd.", 1],
    ),
    *(
        ["object", 0, ["type", "int"], None],
        ["global", "os", "system"],
        ["module", "os"],
        ["mine", 0],
        ["@", 0],
        ["@", "x"],
    ),
]


@pytest.mark.parametrize("packed", HOSTILE_FORMS, ids=json.dumps)
def test_what_stands_for_no_value_is_refused(packed: Any) -> None:
    with pytest.raises(BadValue):
        Unpacker(b"0123456789").unpack(packed)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(
            st.sampled_from(
                sorted(
                    {
                        form[0]
                        for form in HOSTILE_FORMS
                        if form and isinstance(form, list) and isinstance(form[0], str)
                    }
                )
            ),
            inner,
        ).map(list)
    ),
    max_leaves=10,
)


@given(json_values, st.binary(max_size=16))
def test_any_json_is_a_value_of_exact_types_or_refused(packed: Any, blob: bytes) -> None:
    try:
        value = Unpacker(blob).unpack(packed)
    except BadValue:
        return
    Packer().pack(value)


@given(
    st.dictionaries(
        st.sampled_from(["1", "3", "2", "-1", "x"]), st.lists(json_values, max_size=4), max_size=3
    ),
    json_values,
)
def test_any_message_is_read_or_refused(nodes: Any, value: Any) -> None:
    receiver = sides()[0]
    try:
        receiver.read({"nodes": nodes, "value": value}, b"")
    except (BadValue, NotData, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return


def test_other_bytes_than_0_and_1_are_no_other_booleans() -> None:
    packer = Packer()
    place = packer.bytes(b"\x02\x00\xff")
    got = Unpacker(bytes(packer.blob)).unpack(["np.scalar", "|b1", [0, 1]])
    assert (place, got, got == True) == ([0, 3], np.True_, np.True_)  # noqa: E712
