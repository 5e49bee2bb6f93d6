"""The event of a result that a learner can read."""

from __future__ import annotations

from uuid import uuid5

from course.api import FeedbackDocument
from course.events import Event
from course.submissions import Submission


def graded_event(submission: Submission, document: FeedbackDocument) -> Event:
    """Return what is recorded of a result that its learner can read."""
    # One event per result, however often the worker is killed before it says so.
    name = f"graded {document.graded_at.isoformat()}"
    return Event(
        event_id=uuid5(submission.id, name),
        learner=submission.learner,
        kind="assignment.graded",
        occurred_at=document.graded_at,
        subject=submission.assignment,
        data={
            "submission": str(submission.id),
            "points": document.points,
            "max_points": document.max_points,
        },
    )
