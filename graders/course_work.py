"""Between a deployment and the engine: what a submission is graded by, and where its result goes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC
from types import TracebackType
from typing import Self

from nbgrader.api import Assignment
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from course.due_dates import DueDates
from course.errors import CourseError, NotFound
from course.quiz import QuizRecord
from course.roster import Roster
from course.submissions import Submission, SubmissionStore
from graders.engine.archive import NEVER_RUN
from graders.engine.content import TIMESTAMP, CourseContent
from graders.engine.gradebook import Finished, Gradebook
from graders.engine.locks import SubmissionLocks
from graders.engine.plan import AssignmentPlan, read_plan
from graders.engine.results import GradedSubmission, SubmissionContent
from graders.engine.standby import Standby
from graders.engine.trust import trusted
from graders.engine.writing import ResultWriter
from graders.execution.results import RunLimits
from graders.grading_course import GradingCourse
from graders.repair.files import read_folder
from graders.tasks import Grade

_log = logging.getLogger("spoc.worker")


@dataclass(frozen=True, slots=True)
class Learners:
    """Who submits, and what else is known of them."""

    roster: Roster
    record: QuizRecord
    submissions: SubmissionStore
    due_dates: DueDates
    language: str

    def content(
        self, submission: Submission, plan: AssignmentPlan, graded_before: dict[str, bytes]
    ) -> SubmissionContent:
        """Return a submission as the engine takes it, and as nbgrader would have collected it."""
        submitted = read_folder(self.submissions.files_dir(submission.id))
        member = self.roster.find(submission.learner)
        first, _, last = (member.display_name if member else submission.learner).rpartition(" ")
        try:
            points = self.record.points(
                submission.learner, submission.assignment, until=submission.received_at
            )
        except NotFound:
            points = 0.0
        return SubmissionContent(
            student=submission.learner,
            files=_used(submission, submitted.files, plan),
            left_out=submitted.problems,
            timestamp=submission.received_at,
            due_at=self.due_dates.due_at(submission.learner, submission.assignment),
            quiz_points=points,
            graded_before=graded_before,
            first_name=first,
            last_name=last,
            language=self.language,
        )


def _used(submission: Submission, submitted: Mapping[str, bytes], plan: AssignmentPlan) -> dict[str, bytes]:
    files = {
        name: content
        for name, content in submitted.items()
        if name not in NEVER_RUN and (not name.endswith(".ipynb") or name[:-6] in plan.notebooks)
    }
    stamp = submission.received_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    return {**files, TIMESTAMP: stamp.encode()}


class CourseWork:
    """The engine at work for one deployment; to be used by one thread, as a context manager.

    Args:
        course: The course directory.
        learners: Whose submissions.
        limits: Of a notebook's run; None for the engine's own.
    """

    def __init__(self, course: GradingCourse, learners: Learners, limits: RunLimits | None) -> None:
        self._course = course
        self._learners = learners
        self._limits = limits
        self._standby = Standby()
        self._locks = SubmissionLocks(course.folder)

    def __enter__(self) -> Self:
        self._course.folder.mkdir(exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(self._locks)
            stack.enter_context(self._standby)
            self._opened = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def warm_up(self) -> None:
        """Have a fork server ready that suits the assignments of the gradebook."""
        if not self._course.gradebook.exists():
            return
        try:
            with self._gradebook() as gradebook, gradebook.reading() as session:
                names = session.scalars(select(Assignment.name)).all()
                plans = [self._plan(name, session) for name in names]
            self._standby.warm_for(*plans)
        except (OSError, CourseError, SQLAlchemyError):
            # It is told again by the first submission, which then waits.
            _log.exception("nothing can be graded yet")

    def prepare(self, submission: Submission) -> Grade | None:
        """Return the task of grading a submission; None if another process is grading it right now.

        Raises:
            CourseError: The assignment was never released, or cannot be read.
            OSError: The submission cannot be read.
        """
        if not self._locks.take(submission.assignment, submission.learner):
            return None
        with self._gradebook() as gradebook, gradebook.reading() as session:
            plan = self._plan(submission.assignment, session)
        warm = self._standby.warm_for(plan)
        plan = trusted(plan, "auto", self._standby.environment, warm, self._course.folder)
        before = CourseContent(self._course.layout(submission.assignment), plan)
        content = self._learners.content(submission, plan, before.graded_before(submission.learner))
        return Grade(submission, plan, content, warm.address)

    def record(self, task: Grade, result: GradedSubmission) -> str:
        """Bring a result into the course directory; return why it could not be, empty if it was."""
        with self._gradebook() as gradebook:
            writer = ResultWriter(
                layout=self._course.layout(task.plan.assignment),
                gradebook=gradebook,
                plan=task.plan,
                places_submissions=True,
            )
            (written,) = writer.write([Finished(task.content, result)])
        return written.problem

    def release(self, submission: Submission) -> None:
        """Let other processes grade what was prepared."""
        self._locks.give(submission.assignment, submission.learner)

    def rest(self) -> None:
        """Give back what is only needed while something is graded."""
        self._standby.retire()

    @contextmanager
    def _gradebook(self) -> Iterator[Gradebook]:
        # Opened anew each time: somebody may have put another file in its place.
        with Gradebook(self._course.gradebook_url, self._course.id) as gradebook:
            self._course.keep_owner()
            yield gradebook

    def _plan(self, assignment: str, session: Session) -> AssignmentPlan:
        layout = self._course.layout(assignment)
        return read_plan(layout.coursedir, assignment, self._course.config(), session, self._limits)
