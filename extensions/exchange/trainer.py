"""The trainer's side: `nbgrader collect`, `release_assignment`, `release_feedback`."""

from __future__ import annotations

from nbgrader.exchange.abc import ExchangeCollect, ExchangeReleaseAssignment, ExchangeReleaseFeedback

from course.api import ReleasedAssignment, SubmissionList
from extensions.exchange.connection import CourseExchange


class Collect(CourseExchange, ExchangeCollect):
    """Says what there is: the grading worker has put every submission into the course directory already."""

    def copy_files(self) -> None:
        path = f"api/assignments/{self.coursedir.assignment_id}/submissions"
        with self.service() as client:
            for status in client.get(path, SubmissionList).submissions:
                self.log.info("%s: %s, %s", status.learner, self.stamp(status.received_at), status.state)


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
        path = f"api/assignments/{self.coursedir.assignment_id}/feedback"
        if self.coursedir.student_id not in ("", "*"):
            path = f"{path}/{self.coursedir.student_id}"
        with self.service() as client:
            touched = client.post(path, None, SubmissionList).submissions
        for status in touched:
            self.log.info("Feedback released: %s", status.learner)
        if not touched:
            self.log.warning("Nothing is graded yet.")
