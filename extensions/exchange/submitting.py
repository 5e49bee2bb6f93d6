"""`nbgrader submit`: an assignment folder from a home to the course service."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from nbgrader.exchange.abc import ExchangeSubmit

from course.api import Receipt
from course.errors import CourseError
from extensions.client import CourseClient
from extensions.exchange.connection import CourseExchange
from extensions.exchange.folder import packed


class Submit(CourseExchange, ExchangeSubmit):
    """Submits an assignment folder, whatever notebook names it has; the time is the service's."""

    def copy_files(self) -> None:
        assignment = self.coursedir.assignment_id
        with self.service() as client:
            folder = self.home_of(assignment)
            missing = [
                name
                for each in self.chosen(client)
                for name in each.notebooks
                if not (folder / f"{name}.ipynb").is_file()
            ]
            if missing and self.strict:
                raise CourseError(f"Notebooks are missing in {folder}: {', '.join(missing)}.")
            receipt = send(client, assignment, folder)
        self.log.info(
            "Submitted as: %s %s (%s)", assignment, self.stamp(receipt.received_at), receipt.submission
        )


def send(client: CourseClient, assignment: str, folder: Path) -> Receipt:
    """Submit the files of `folder`; return the proof that they arrived.

    Raises:
        CourseError: There is no such folder, or the service refuses; nothing is submitted then.
    """
    if not folder.is_dir():
        raise CourseError(
            f"There is no folder {folder}.", "Fetch the assignment, or open its notebook where it lies."
        )
    return client.post_stream(
        f"api/assignments/{quote(assignment, safe='')}/submissions", packed(folder), Receipt
    )
