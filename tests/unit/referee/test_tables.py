"""Arrays, columns, indexes and tables that cross keep their types and what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_index_equal, assert_series_equal

from tests.unit.referee.sides import cross, sides

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3),
        np.arange(6).reshape(2, 3).T,
        np.array(3.5),
        np.zeros((0, 3)),
        np.array([True, False]),
        np.array(["a", None, [1], 2.5], dtype=object),
        np.array(["ab", "c"]),
        np.array([b"x"]),
        np.array([1, np.nan, np.inf]),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.array(["2026-01-01", "NaT"], dtype="M8[s]"),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_an_array_is_the_same_on_the_other_side(array: np.ndarray[Any, Any]) -> None:
    got = cross(*sides(), array)
    assert (got.dtype, got.shape, repr(got)) == (array.dtype, array.shape, repr(array))
    np.testing.assert_array_equal(got, array, strict=True)


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
        pd.RangeIndex(4, name="r"),
        pd.Index([3, 1, 2]),
        pd.Index(["a", None]),
        pd.Index([1, "a"], dtype=object),
        pd.date_range("2026-01-01", periods=3, freq="MS"),
        pd.DatetimeIndex(["2026-01-01", "2026-05-02"], tz="UTC"),
        pd.period_range("2026", periods=2, freq="Q"),
        pd.timedelta_range("1s", periods=2),
        pd.interval_range(0, 2),
        pd.CategoricalIndex(["a", "b", "a"]),
        pd.MultiIndex.from_tuples([(1, "a"), (2, "b")], names=["p", None]),
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
        pd.DataFrame(COLUMNS),
        pd.DataFrame(),
        pd.DataFrame({"a": [1]}).head(0),
        pd.DataFrame(np.ones((2, 2)), columns=["a", "a"]),
        pd.DataFrame({"a": [1, 1, 2], "v": [3.0, 4.0, 5.0]}).groupby("a").agg(["sum", "mean"]),
    ],
    ids=lambda frame: f"{frame.shape}",
)
def test_a_table_is_the_same_on_the_other_side(frame: pd.DataFrame) -> None:
    assert_frame_equal(cross(*sides(), frame), frame, check_exact=True)
