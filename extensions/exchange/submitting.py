"""`nbgrader submit`: an assignment folder from a home to the course service."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from nbgrader.exchange.abc import ExchangeSubmit

from course.api import Receipt, ReleasedAssignment
from course.errors import Conflict, CourseError
from extensions.client import CourseClient, ServiceUnreachable
from extensions.exchange.connection import CourseExchange
from extensions.exchange.folder import files_of, packed

RETRY_SECONDS = (1.0, 3.0, 6.0)


class Submit(CourseExchange, ExchangeSubmit):
    """Submits an assignment folder, whatever notebook names it has; the time is the service's."""

    def copy_files(self) -> None:
        own_name = os.environ.get("JUPYTERHUB_USER", "")
        if self.coursedir.student_id not in ("", "*", own_name):
            self.fail(f"Everybody submits as who they are here: {own_name}.")
        with self.service() as client:
            released = self.the_chosen(client)
            assignment, folder = released.assignment, self.home_of(released.assignment)
            self._compare(released, folder)
            receipt = send(client, assignment, folder)
        self.log.info(
            "Submitted as: %s %s (%s)", assignment, self.stamp(receipt.received_at), receipt.submission
        )

    def _compare(self, released: ReleasedAssignment, folder: Path) -> None:
        expected = {f"{name}.ipynb" for name in released.notebooks}
        found = {str(path.relative_to(folder)) for path in files_of(folder) if path.suffix == ".ipynb"}
        missing, extra = sorted(expected - found), sorted(found - expected)
        if missing and self.strict:
            self.fail(f"Nothing was submitted. Notebooks are missing in {folder}: {', '.join(missing)}.")
        if missing:
            self.log.warning("Notebooks are missing in %s: %s", folder, ", ".join(missing))
        if extra:
            self.log.warning("Not of this assignment, and not graded: %s", ", ".join(extra))


def send(client: CourseClient, assignment: str, folder: Path) -> Receipt:
    """Submit the files of `folder`; return the proof that they arrived.

    Where the service does not answer, say because it is being restarted, it is tried again for some seconds.

    Raises:
        CourseError: There is no such folder, or the service refuses; nothing is submitted then.
        ServiceUnreachable: Nobody answered; whether it arrived, the list of submissions says.
    """
    if not folder.is_dir():
        raise CourseError(
            f"There is no folder {folder}.", "Fetch the assignment, or open its notebook where it lies."
        )
    path = f"api/assignments/{quote(assignment, safe='')}/submissions"
    key = uuid4()
    try:
        return client.post_stream(path, packed(folder), Receipt, key)
    except ServiceUnreachable:
        # Either the files or the reply were lost; with the same key, they count once.
        return _sent_again(lambda: client.post_stream(path, packed(folder), Receipt, key))


def _sent_again(send: Callable[[], Receipt]) -> Receipt:
    for seconds in RETRY_SECONDS:
        time.sleep(seconds)
        try:
            return send()
        # While the first try is still being received, the service says so.
        except (ServiceUnreachable, Conflict):
            continue
    return send()
