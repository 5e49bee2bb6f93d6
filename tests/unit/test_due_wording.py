"""A learner is told the due date with the receipt, in the course's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from extensions.feedback.view import Wording

pytestmark = pytest.mark.quick

DUE = datetime(2026, 12, 1, 22, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "in_time", "late"),
    [
        ("en", "Due on 2026-12-01 23:59.", "It was due on 2026-12-01 23:59: late, and graded all the same."),
        (
            "fr",
            "À rendre avant le 2026-12-01 23:59.",
            "C'était à rendre avant le 2026-12-01 23:59 : en retard, mais noté quand même.",
        ),
    ],
)
def test_the_receipt_tells_the_due_date_and_whether_it_is_late(
    language: str, in_time: str, late: str
) -> None:
    wording = Wording(language, "Europe/Paris")
    assert wording.due(DUE, DUE) == in_time
    assert wording.due(DUE, DUE + timedelta(seconds=1)) == late


def test_an_assignment_without_due_date_says_nothing_of_it() -> None:
    assert Wording("en", "UTC").due(None, DUE) == ""
