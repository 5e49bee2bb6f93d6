"""What every exchange plug-in shares: the course service, and where an assignment lies in a home."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from nbgrader.exchange.abc import Exchange

from course.api import AssignmentList, ReleasedAssignment, SubmissionStatus
from course.errors import CourseError
from extensions.client import CourseClient


class CourseExchange(Exchange):
    """An exchange plug-in that asks the course service.

    nbgrader's pages show an `ExchangeError`, so that is what a refusal becomes.
    """

    def init_src(self) -> None:
        """Nothing: the service knows where things are."""

    def init_dest(self) -> None:
        """Nothing: the service knows where things go."""

    @contextmanager
    def service(self) -> Iterator[CourseClient]:
        """Give a connection; whatever the service refuses, nbgrader hears as its own error."""
        client = CourseClient.from_environment()
        if client is None:
            self.fail("This server is not connected to a course (SPOC_SERVICE_URL is not set).")
            return
        try:
            with client:
                yield client
        except CourseError as error:
            self.fail(str(error))

    def listed(self, client: CourseClient) -> AssignmentList:
        """Return the released assignments of this course."""
        return client.get("api/assignments", AssignmentList)

    def chosen(self, client: CourseClient) -> tuple[ReleasedAssignment, ...]:
        """Return the released assignments that `coursedir` asks for: one, or all."""
        listed = self.listed(client)
        wanted = self.coursedir.assignment_id
        if self.coursedir.course_id not in ("", "*", listed.course):
            return ()
        return tuple(each for each in listed.assignments if wanted in ("", "*", each.assignment))

    def the_chosen(self, client: CourseClient) -> ReleasedAssignment:
        """Return the one released assignment that `coursedir` asks for; fail where there is none."""
        chosen = self.chosen(client)
        if not chosen or self.coursedir.assignment_id in ("", "*"):
            self.fail(f"No released assignment of this course is called {self.coursedir.assignment_id!r}.")
        return chosen[0]

    def home_of(self, assignment: str) -> Path:
        """Return where a member has, or would have, a copy of the assignment."""
        return Path(self.assignment_dir).absolute() / assignment

    def feedback_dir(self, status: SubmissionStatus) -> Path:
        """Return where feedback on a submission goes in the member's home."""
        return self.home_of(status.assignment) / "feedback" / self.stamp(status.received_at)

    def stamp(self, moment: datetime) -> str:
        """Return a time as nbgrader writes and shows it."""
        return moment.astimezone(ZoneInfo(self.timezone)).strftime(self.timestamp_format)


def release_dir() -> Path:
    """Return where the released assignments lie, read-only."""
    return Path(os.environ.get("SPOC_RELEASE_DIR", "/srv/release"))
