"""A pandas notebook with twelve graded cells; the benchmark grades it too."""

from __future__ import annotations

from collections.abc import Mapping

from nbformat import NotebookNode

from tests.equality.cells import answer, clean, code, locked_tests, notebook, read_only

_GIVEN = """
import numpy as np
import pandas as pd

orders = pd.DataFrame(
    {
        "order": range(1, 13),
        "customer": ["ann", "bob", "cyd", "ann", None, "bob", "ann", "cyd", "dee", "bob", "dee", "ann"],
        "amount": [12.5, 30.0, np.nan, 7.25, 18.0, 30.0, 99.9, 4.0, np.nan, 61.0, 15.5, 22.0],
        "day": pd.date_range("2026-03-01", periods=12, freq="D"),
        "region": list("NSNSNSNSNSNS"),
    }
)
customers = pd.DataFrame(
    {"customer": ["ann", "bob", "cyd", "dee"], "city": ["Basel", "Bern", "Chur", "Basel"]}
)
"""


def frames_notebook() -> NotebookNode:
    return notebook(
        read_only("given", _GIVEN),
        code("orders.head()"),
        _solution(
            "clean",
            """
            clean = orders.dropna(subset=["customer"]).copy()
            clean["amount"] = clean["amount"].fillna(0)
            """,
        ),
        locked_tests("clean-rows", "assert len(clean) == 11\nassert clean['customer'].notna().all()", 2),
        locked_tests(
            "clean-amounts",
            """
            assert clean['amount'].isna().sum() == 0
            assert orders['amount'].isna().sum() == 2
            """,
            1,
        ),
        _solution(
            "total",
            """
            total = clean["amount"].sum()
            mean_amount = float(clean["amount"].mean())
            """,
        ),
        locked_tests("total-value", "assert np.isclose(total, 282.15)", 1),
        locked_tests(
            "mean-value",
            """
            assert abs(mean_amount - 25.65) < 1e-9
            assert isinstance(mean_amount, float)
            """,
            1,
        ),
        _solution(
            "by-customer",
            'by_customer = clean.groupby("customer")["amount"].sum().sort_values(ascending=False)',
        ),
        locked_tests("order", "assert list(by_customer.index) == ['ann', 'bob', 'dee', 'cyd']", 1),
        locked_tests(
            "series",
            """
            expected = pd.Series(
                [141.65, 121.0, 15.5, 4.0],
                index=pd.Index(["ann", "bob", "dee", "cyd"], name="customer"),
                name="amount",
            )
            pd.testing.assert_series_equal(by_customer, expected)
            """,
            2,
        ),
        _solution("merged", 'merged = clean.merge(customers, on="customer", how="left")'),
        locked_tests("merged-columns", "assert 'city' in merged.columns\nassert merged.shape == (11, 6)", 1),
        locked_tests(
            "merged-city",
            "assert merged.loc[merged['customer'] == 'cyd', 'city'].unique().tolist() == ['Chur']",
            1,
        ),
        _solution(
            "pivot",
            """
            pivot = merged.pivot_table(
                index="city", columns="region", values="amount", aggfunc="sum", fill_value=0
            )
            """,
        ),
        locked_tests(
            "pivot-frame",
            """
            ### BEGIN HIDDEN TESTS
            grouped = merged.groupby(["city", "region"])["amount"].sum().unstack(fill_value=0)
            pd.testing.assert_frame_equal(pivot, grouped, check_dtype=False)
            ### END HIDDEN TESTS
            assert pivot.shape == (3, 2)
            """,
            3,
        ),
        _solution(
            "best",
            """
            def best_day(frame):
                return frame.loc[frame["amount"].idxmax(), "day"]
            """,
        ),
        locked_tests("best-day", "assert best_day(clean) == pd.Timestamp('2026-03-07')", 1),
        locked_tests("best-other-frame", "assert best_day(clean[clean['amount'] < 50]).day == 2", 1),
        _solution("share", "share = (by_customer / by_customer.sum()).round(3).to_dict()"),
        locked_tests(
            "share-credit",
            """
            right = {'ann': 0.502, 'bob': 0.429, 'dee': 0.055, 'cyd': 0.014}
            sum(abs(share.get(k, 0) - v) < 1e-9 for k, v in right.items()) / 2
            """,
            2,
        ),
    )


def _solution(grade_id: str, source: str) -> NotebookNode:
    return answer(grade_id, f"### BEGIN SOLUTION\n{clean(source)}\n### END SOLUTION")


FRAME_ANSWERS: Mapping[str, Mapping[str, str]] = {
    "partly": {
        "clean": "clean = orders.dropna().copy()",
        "by-customer": 'by_customer = clean.groupby("customer")["amount"].sum()',
        "best": "def best_day(frame):\n    return frame['day'].max()",
        "share": "share = {'ann': 0.502, 'bob': 0.4}",
    },
    "wrong": {
        "clean": "orders.dropna(inplace=True)\nclean = orders",
        "total": "total = 'much'\nmean_amount = np.float64(25.65)",
        "merged": "merged = customers",
        "pivot": "pivot = merged.pivot()",
        "best": "best_day = lambda frame: frame.day.iloc[[6]]",
        "share": "share = list(by_customer)",
    },
}
