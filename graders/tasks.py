"""What the worker's processes do: grade a submission, and write what its learner may read about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.api import FeedbackDocument
from course.feedback import FeedbackStore
from course.submissions import Submission
from graders.engine.plan import AssignmentPlan
from graders.engine.results import GradedSubmission, SubmissionContent
from graders.engine.submission import grade_submission
from graders.feedback import feedback_document
from graders.feedback_page import feedback_page
from graders.forkserver.client import attach
from graders.grading_course import GradingCourse


@dataclass(frozen=True, slots=True)
class Grade:
    """Grade a submission; `server` is the address of the fork server to use."""

    submission: Submission
    plan: AssignmentPlan
    content: SubmissionContent
    server: Path

    def run(self, _desk: Desk) -> GradedSubmission:
        return grade_submission(self.plan, self.content, attach(self.server))


@dataclass(frozen=True, slots=True)
class Publish:
    """Write feedback: on `seen`, the notebooks as their learner may see them, or on those that were kept."""

    submission: Submission
    seen: Mapping[str, bytes] | None = None
    due_at: datetime | None = None
    """By which it was graded, if it was graded now."""

    def run(self, desk: Desk) -> FeedbackDocument:
        if self.seen is not None:
            for name, notebook in self.seen.items():
                desk.feedback.keep(self.submission.id, f"{name}.ipynb", notebook.decode())
        kept = desk.feedback.kept(self.submission.id, ".ipynb")
        return desk.publish(self.submission, {path.stem: nbformat.read(path, as_version=4) for path in kept})


Task = Grade | Publish
Outcome = GradedSubmission | FeedbackDocument


@dataclass(frozen=True, slots=True)
class Desk:
    """What tasks of one deployment share."""

    course: GradingCourse
    feedback: FeedbackStore
    language: str

    def do(self, task: Task) -> Outcome:
        """Do a task; runs in a process of its own."""
        return task.run(self)

    def document(
        self, submission: Submission, seen: Mapping[str, NotebookNode], now: datetime
    ) -> FeedbackDocument:
        """Return what a learner is told by what the gradebook holds now."""
        return feedback_document(
            self.course,
            submission.learner,
            submission.assignment,
            seen,
            submission=submission.id,
            marks_released=submission.marks_released,
            language=self.language,
            now=now,
        )

    def publish(self, submission: Submission, seen: Mapping[str, NotebookNode]) -> FeedbackDocument:
        """Write what a learner is told, and return it."""
        document = self.document(submission, seen, datetime.now(UTC))
        pages = {name: feedback_page(seen[name], name, document, self.language) for name in seen}
        self.feedback.write(document, pages)
        return document
