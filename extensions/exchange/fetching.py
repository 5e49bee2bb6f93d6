"""`nbgrader fetch_assignment` and `nbgrader fetch_feedback`: from the course into a member's home."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from nbgrader.exchange.abc import ExchangeFetchAssignment, ExchangeFetchFeedback

from course.api import FeedbackDocument, SubmissionStatus
from extensions.client import CourseClient
from extensions.exchange.connection import CourseExchange, release_dir
from extensions.exchange.listing import fetched_feedback
from extensions.home import fill_home


class FetchAssignment(CourseExchange, ExchangeFetchAssignment):
    """Copies a released assignment; with `replace_missing_files` what is missing, else only as a whole."""

    def copy_files(self) -> None:
        with self.service() as client:
            assignment = self.the_chosen(client).assignment
        target = self.home_of(assignment)
        if target.is_dir() and not self.replace_missing_files:
            self.fail(f"There is a copy of the assignment already: {target}")
        for path in fill_home(release_dir() / assignment, target):
            self.log.info("Fetched %s", target / path)


class FetchFeedback(CourseExchange, ExchangeFetchFeedback):
    """Writes feedback on own submissions to `<assignment>/feedback/<time of submission>/`."""

    def copy_files(self) -> None:
        with self.service() as client:
            for assignment in self.chosen(client):
                for status in assignment.submissions:
                    if status.feedback_at is not None:
                        self._fetch(client, status)

    def _fetch(self, client: CourseClient, status: SubmissionStatus) -> None:
        folder = self.feedback_dir(status)
        fetched = fetched_feedback(folder)
        if fetched is not None and fetched.graded_at == status.feedback_at:
            return
        path = f"api/submissions/{status.submission}/feedback"
        document = client.get(path, FeedbackDocument)
        folder.mkdir(parents=True, exist_ok=True)
        for name in document.notebooks:
            _replace(folder / f"{name}.html", client.get_text(f"{path}/{quote(name, safe='')}.html"))
        # The document comes last: with it, the feedback counts as fetched.
        _replace(folder / "feedback.json", document.model_dump_json(indent=1))
        self.log.info("Fetched feedback: %s", folder)


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
