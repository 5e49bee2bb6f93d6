"""Grades a submission again when it was the platform that failed."""

from __future__ import annotations

from time import sleep

from graders.engine.plan import AssignmentPlan
from graders.engine.results import GradedSubmission, SubmissionContent
from graders.engine.submission import grade_submission
from graders.execution.status import InfrastructureFault
from graders.forkserver.client import ForkClient

_PAUSES = (0.2, 1.0)
"""Seconds before a submission is graded once more that the platform failed."""


def grade_patiently(
    plan: AssignmentPlan, content: SubmissionContent, warm: ForkClient, *, is_shown: bool = True
) -> GradedSubmission:
    """Return what a submission gets, see `grade_submission`; what the platform fails is tried again."""
    for pause in _PAUSES:
        try:
            return grade_submission(plan, content, warm, is_shown=is_shown)
        except InfrastructureFault:
            sleep(pause)
    try:
        return grade_submission(plan, content, warm, is_shown=is_shown)
    except InfrastructureFault as fault:
        return GradedSubmission(student=content.student, fault=str(fault), remarks=content.remarks)
