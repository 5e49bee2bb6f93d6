"""`nbgrader list`, and what JupyterLab's Assignment List shows.

The entries are nbgrader's: its Lab extension reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nbgrader.exchange.abc import ExchangeList

from course.api import FeedbackDocument, ReleasedAssignment, SubmissionList, SubmissionStatus
from extensions.client import CourseClient
from extensions.exchange.connection import CourseExchange, release_dir

Entry = dict[str, Any]


class ListAssignments(CourseExchange, ExchangeList):
    """Lists released assignments; `cached`: own submissions; `inbound`: those of everybody, for trainers."""

    def copy_files(self) -> None:
        """Nothing is copied by listing."""

    def list_files(self) -> list[Entry]:
        with self.service() as client:
            course = self.listed(client).course
            chosen = self.chosen(client)
            if self.inbound:
                entries = self._inbound(client, course, chosen)
            elif self.cached:
                mine = [(each, each.submissions) for each in chosen if each.submissions]
                entries = [self._submitted(course, each, submissions) for each, submissions in mine]
            else:
                entries = [self._released(course, each) for each in chosen]
        self._tell(entries)
        return entries

    def _tell(self, entries: Iterable[Entry]) -> None:
        """Say on a terminal what there is, in the words of `nbgrader list`."""
        if not (self.inbound or self.cached):
            self.log.info("Released assignments:")
            for entry in entries:
                known = " (already downloaded)" if entry["status"] == "fetched" else ""
                self.log.info("%s %s%s", entry["course_id"], entry["assignment_id"], known)
            return
        self.log.info("Submitted assignments:")
        for entry in entries:
            for each in entry["submissions"]:
                place = (each["course_id"], each["student_id"], each["assignment_id"], each["timestamp"])
                self.log.info("%s (%s)", " ".join(place), _feedback_state(each))

    def remove_files(self) -> list[Entry]:
        self.fail("Releases and submissions of this course are kept.")
        return []

    def _released(self, course: str, assignment: ReleasedAssignment) -> Entry:
        home = self.home_of(assignment.assignment)
        fetched = home.is_dir()
        folder = home if fetched else release_dir() / assignment.assignment
        return {
            "course_id": course,
            "assignment_id": assignment.assignment,
            "status": "fetched" if fetched else "released",
            "path": str(folder),
            "notebooks": [
                {"notebook_id": name, "path": str(folder / f"{name}.ipynb")}
                for name in assignment.notebooks
                if not fetched or (folder / f"{name}.ipynb").is_file()
            ],
        }

    def _inbound(
        self, client: CourseClient, course: str, chosen: Iterable[ReleasedAssignment]
    ) -> list[Entry]:
        entries = []
        for assignment in chosen:
            path = f"api/assignments/{assignment.assignment}/submissions"
            one = self.coursedir.student_id not in ("", "*")
            path += f"/{quote(self.coursedir.student_id, safe='')}" if one else "?all=true"
            by_learner: dict[str, list[SubmissionStatus]] = {}
            for status in client.get(path, SubmissionList).submissions:
                by_learner.setdefault(status.learner, []).append(status)
            entries += [self._submitted(course, assignment, found) for _, found in sorted(by_learner.items())]
        return entries

    def _submitted(
        self, course: str, assignment: ReleasedAssignment, submissions: Iterable[SubmissionStatus]
    ) -> Entry:
        entries = [self._submission(course, assignment, status) for status in submissions]
        return {
            "course_id": course,
            "student_id": entries[0]["student_id"],
            "assignment_id": assignment.assignment,
            "status": "submitted",
            "submissions": sorted(entries, key=lambda entry: str(entry["timestamp"])),
        }

    def _submission(self, course: str, assignment: ReleasedAssignment, status: SubmissionStatus) -> Entry:
        folder = self.feedback_dir(status)
        fetched = fetched_feedback(folder)
        local = {name: folder / f"{name}.html" for name in assignment.notebooks}
        has_local = fetched is not None and any(path.is_file() for path in local.values())
        feedback = {
            "has_local_feedback": has_local,
            "has_exchange_feedback": status.feedback_at is not None,
            "feedback_updated": fetched is not None and fetched.graded_at != status.feedback_at,
        }
        return {
            "course_id": course,
            "student_id": status.learner,
            "assignment_id": status.assignment,
            "timestamp": self.stamp(status.received_at),
            "status": "submitted",
            "path": str(self.home_of(status.assignment)),
            "notebooks": [
                {
                    "notebook_id": name,
                    "path": str(self.home_of(status.assignment) / f"{name}.ipynb"),
                    "local_feedback_path": str(path) if path.is_file() else None,
                    **feedback,
                }
                for name, path in local.items()
            ],
            "local_feedback_path": str(folder) if has_local else None,
            **feedback,
        }


def _feedback_state(submission: Entry) -> str:
    if submission["has_local_feedback"] and not submission["feedback_updated"]:
        return "feedback already fetched"
    return "feedback ready to be fetched" if submission["has_exchange_feedback"] else "no feedback available"


def fetched_feedback(folder: Path) -> FeedbackDocument | None:
    """Return the feedback that was fetched into `folder`; None if there is none that can be read."""
    try:
        return FeedbackDocument.model_validate_json((folder / "feedback.json").read_bytes())
    # It lies in the member's home, who may have changed or removed it.
    except (OSError, ValueError):
        return None
