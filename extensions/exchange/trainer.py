"""The trainer's side: `nbgrader collect`, `release_assignment`, `release_feedback`."""

from __future__ import annotations

from collections.abc import Iterable

from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.abc import ExchangeCollect, ExchangeReleaseAssignment, ExchangeReleaseFeedback

from course.api import ReleasedAssignment, SubmissionList, SubmissionStatus
from extensions.client import CourseClient
from extensions.exchange.connection import CourseExchange


class Collect(CourseExchange, ExchangeCollect):
    """Says what there is: the grading worker has put every submission into the course directory already."""

    def copy_files(self) -> None:
        if self.before_duedate:
            self.fail("In this course the newest submission counts. More time for somebody: spoc extend")
        with self.service() as client:
            assignment = self.the_chosen(client).assignment
            asked = asked_for(self.coursedir, newest(client, assignment))
        for status in asked:
            self.log.info("%s: %s, %s", status.learner, self.stamp(status.received_at), status.state)
        if not asked:
            self.log.warning("No submissions of %r to collect", assignment)


class ReleaseAssignment(CourseExchange, ExchangeReleaseAssignment):
    """Shows learners the assignment that lies generated in `release/`."""

    def copy_files(self) -> None:
        path = f"api/assignments/{self.coursedir.assignment_id}/release"
        with self.service() as client:
            released = client.post(path, None, ReleasedAssignment)
        self.log.info("Released: %s (%s)", released.assignment, ", ".join(released.notebooks))


class ReleaseFeedback(CourseExchange, ExchangeReleaseFeedback):
    """Lets learners see marks and comments given by hand."""

    def copy_files(self) -> None:
        touched: list[SubmissionStatus] = []
        with self.service() as client:
            assignment = self.the_chosen(client).assignment
            for learner in sorted(
                {each.learner for each in asked_for(self.coursedir, newest(client, assignment))}
            ):
                path = f"api/assignments/{assignment}/feedback/{learner}"
                touched += client.post(path, None, SubmissionList).submissions
        for status in touched:
            self.log.info("Feedback released: %s", status.learner)
        if not touched:
            self.log.warning("Nothing is graded yet.")


def newest(client: CourseClient, assignment: str) -> tuple[SubmissionStatus, ...]:
    """Return the newest submission of everybody."""
    return client.get(f"api/assignments/{assignment}/submissions", SubmissionList).submissions


def asked_for(
    coursedir: CourseDirectory, submissions: Iterable[SubmissionStatus]
) -> tuple[SubmissionStatus, ...]:
    """Return the submissions of the students that nbgrader's `--student` and `student_id_exclude` leave."""
    excluded = {name.strip() for name in coursedir.student_id_exclude.split(",")}
    wanted = coursedir.student_id
    return tuple(
        each for each in submissions if each.learner not in excluded and wanted in ("", "*", each.learner)
    )
