"""Arrays, columns and tables: what is equal, and the first differences in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from course.checks import approx, table
from tests.unit.test_checks import said

pytestmark = pytest.mark.quick

SALES = pd.DataFrame({"region": ["north", "south", None], "total": [12.5, 7.0, None], "orders": [3, 2, 1]})


def test_equal_tables_pass_however_pandas_keeps_them() -> None:
    assert said(SALES.copy(), SALES) == []
    kept_otherwise = SALES.astype({"region": object, "total": "Float64", "orders": "int32"})
    assert said(kept_otherwise, SALES) == []
    assert said(SALES["total"] + 1e-12, SALES["total"]) == []
    assert said(SALES.index, SALES.index) == []
    assert said(np.array([[1, 2], [3, 4]]), np.array([[1.0, 2], [3, 4]])) == []
    assert said(np.int64(3), 3) == []
    assert said(pd.Timestamp("2026-03-02"), pd.Timestamp("2026-03-02")) == []


def test_columns_are_named_when_they_are_missing_left_over_or_out_of_order() -> None:
    assert said(SALES.rename(columns={"total": "sum"}), SALES) == [
        "Missing columns: ['total']",
        "Columns that should not be there: ['sum']",
    ]
    turned = SALES[["orders", "region", "total"]]
    assert said(turned, SALES) == [
        "Expected the columns ['region', 'total', 'orders'], got ['orders', 'region', 'total']"
    ]
    assert said(turned, table(SALES, columns_in_order=False)) == []


def test_rows_are_counted_and_cells_named_by_label_and_column() -> None:
    assert said(SALES.head(2), SALES) == ["Expected 3 rows, got 2"]
    changed = SALES.assign(total=[12.5, 8.0, None], region=["north", None, "west"])
    assert said(changed, SALES) == [
        "row 1, column 'region': expected 'south', got nan",
        "row 1, column 'total': expected 7.0, got 8.0",
        "row 2, column 'region': expected nan, got 'west'",
    ]
    assert said(SALES["orders"] + 1, SALES["orders"])[0] == "row 0: expected 3, got 4"


def test_types_and_labels_count_unless_the_author_says_they_do_not() -> None:
    as_decimals = SALES.astype({"orders": float})
    assert said(as_decimals, SALES) == ["column 'orders': expected whole numbers, got decimal numbers"]
    assert said(as_decimals, table(SALES, types=False)) == []
    relabelled = SALES.set_axis(["a", "b", "c"])
    assert said(relabelled, SALES)[0].startswith("row labels[0]: expected a whole number, got a text: 'a'")
    assert said(relabelled, table(SALES, labels=False)) == []


def test_the_order_of_rows_counts_unless_the_author_says_it_does_not() -> None:
    turned = SALES.iloc[::-1]
    assert said(turned, SALES) != []
    assert said(turned, table(SALES, rows_in_order=False)) == []
    assert said(turned.reset_index(drop=True), table(SALES, rows_in_order=False, labels=False)) == []
    assert said(turned.assign(orders=[1, 2, 4]), table(SALES, rows_in_order=False)) != []


def test_numbers_in_tables_may_be_near() -> None:
    near = SALES.assign(total=SALES["total"] + 0.001)
    assert said(near, SALES) != []
    assert said(near, approx(SALES, abs=0.01)) == []


def test_arrays_differ_in_shape_or_at_a_place() -> None:
    assert said(np.ones(3), np.ones((3, 1))) == ["Expected the shape (3, 1), got (3,)"]
    assert said(np.array([[1, 2], [3, 5]]), np.array([[1, 2], [3, 4]])) == ["[1, 1]: expected 4, got 5"]
    assert said(np.array([2**62]), np.array([2**62 + 1])) != []
    assert said([1, 2], np.array([1, 2])) == ["Expected an array, got a list: [1, 2]"]


def test_a_large_table_is_compared_by_its_columns() -> None:
    large = pd.DataFrame(np.arange(4_000_000.0).reshape(-1, 4))
    other = large.copy()
    other.iloc[900_000, 2] = -1
    assert said(other, large) == ["row 900000, column 2: expected 3600002.0, got -1.0"]


def test_what_is_no_table_is_refused_as_one() -> None:
    with pytest.raises(TypeError):
        table([1, 2])
