"""A worker that grades what is handed in, and what came of it."""

from __future__ import annotations

from pathlib import Path

from course.submissions import Submission
from graders.execution.results import RunLimits
from graders.worker import Grader, Limits
from tests.handing_in import Deployment

LIMITS = Limits(submission_seconds=90, run=RunLimits(cell_seconds=3, notebook_seconds=40))


def graded(deployment: Deployment, grader: Grader, learner: str, folder: Path) -> Submission:
    """Submit `folder` and return the submission after the worker had it."""
    submission = deployment.hand_in(learner, folder)
    while grader.work():
        pass
    return deployment.now(submission)


def points_of(deployment: Deployment, submission: Submission) -> dict[str, float | None]:
    return {cell.cell: cell.points for cell in deployment.feedback(submission).cells}
