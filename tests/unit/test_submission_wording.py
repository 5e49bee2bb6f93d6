"""What a learner is told of a submission: its due date in the course's time zone, its place in the queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from course.api import ReleasedAssignment, SubmissionStatus
from extensions.feedback.view import Wording

pytestmark = pytest.mark.quick

DUE = datetime(2026, 12, 1, 22, 59, tzinfo=UTC)


def released(due_at: datetime | None, *, extended: bool = False) -> ReleasedAssignment:
    return ReleasedAssignment(
        assignment="tables", title="Tables", due_at=due_at, extended=extended, notebooks=()
    )


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
    assert wording.due(released(DUE), DUE) == in_time
    assert wording.due(released(DUE), DUE + timedelta(seconds=1)) == late


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Due on 2026-12-01 23:59: your trainer gave you more time."),
        ("fr", "À rendre avant le 2026-12-01 23:59 : votre formateur vous a accordé un délai."),
    ],
)
def test_the_receipt_tells_of_more_time(language: str, text: str) -> None:
    assert Wording(language, "Europe/Paris").due(released(DUE, extended=True), DUE) == text


def test_an_assignment_without_due_date_says_nothing_of_it() -> None:
    assert Wording("en", "UTC").due(released(None), DUE) == ""


@pytest.mark.parametrize(
    ("language", "ahead", "text"),
    [
        ("en", 0, "Your submission waits to be graded …"),
        ("en", 3, "Your submission waits to be graded. Before it: 3 …"),
        ("fr", 3, "Votre rendu attend d'être corrigé. Avant lui : 3…"),
    ],
)
def test_a_waiting_submission_has_a_place_in_the_queue(language: str, ahead: int, text: str) -> None:
    status = SubmissionStatus(
        submission=uuid4(),
        assignment="tables",
        learner="ada",
        received_at=DUE,
        state="received",
        ahead=ahead,
    )
    assert Wording(language, "UTC").waiting(status) == text
