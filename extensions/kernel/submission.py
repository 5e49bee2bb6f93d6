"""`spoc.submit()` and `spoc.feedback()`: hand in from the notebook, and read there what came of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from IPython.core.getipython import get_ipython

from course.api import AssignmentList, ReleasedAssignment
from course.errors import CourseError, NotFound
from course.language import LANGUAGES
from extensions.client import CourseClient
from extensions.exchange.submitting import send
from extensions.feedback.view import Wording
from extensions.feedback.widget import FeedbackWidget


def submit(client: CourseClient, assignment: str = "") -> FeedbackWidget:
    """Hand in the assignment that this notebook belongs to, or another by name, and follow its grading.

    What counts is what is saved.

    Raises:
        CourseError: This notebook is not saved, belongs to no assignment, or the service refuses.
    """
    wording = _wording(os.environ)
    released, folder = _find(client, assignment, wording)
    notebook = _this_notebook()
    run_cells: Mapping[str, str] = getattr(get_ipython(), "run_cells", {})
    if notebook is not None and notebook.is_relative_to(folder) and _has_unsaved_changes(notebook, run_cells):
        raise CourseError(
            wording.message("This notebook has changes that are not saved, so nothing was submitted."),
            wording.message("Save it (Ctrl+S, on a Mac ⌘S), then run this cell again."),
        )
    receipt = send(client, released.assignment, folder)
    widget = FeedbackWidget.of_receipt(client, receipt, wording)
    if due := wording.due(released, receipt.received_at):
        widget.receipt = f"{widget.receipt}\n{due}"
    if notebook is not None and notebook.is_relative_to(folder):
        saved = datetime.fromtimestamp(notebook.stat().st_mtime, UTC)
        as_saved = wording.message("This notebook went in as saved at {time}.")
        widget.receipt = f"{widget.receipt}\n{as_saved.format(time=wording.time(saved))}"
    return widget


def feedback(client: CourseClient, assignment: str = "") -> FeedbackWidget:
    """Show the newest feedback on the assignment that this notebook belongs to, or another by name.

    Raises:
        CourseError: Nothing is submitted, or this notebook belongs to no assignment.
    """
    wording = _wording(os.environ)
    released, _ = _find(client, assignment, wording)
    if not released.submissions:
        raise NotFound(
            wording.message("You have not submitted this assignment yet."),
            wording.message("Submit it with spoc.submit()."),
        )
    return FeedbackWidget(client, released.submissions[0], wording)


def _find(client: CourseClient, name: str, wording: Wording) -> tuple[ReleasedAssignment, Path]:
    """Return the assignment called `name`, or that of this notebook's folder, and where it lies."""
    listed = {each.assignment: each for each in client.get("api/assignments", AssignmentList).assignments}
    notebook = _this_notebook()
    here = notebook.parent if notebook else Path.cwd()
    for folder in (here, *here.parents):
        if folder.name in listed and name in ("", folder.name):
            return listed[folder.name], folder
    if name in listed:
        return listed[name], Path.home() / name
    raise NotFound(
        wording.message("This notebook belongs to no assignment that is released."),
        wording.message('Name one: spoc.submit("…"). Released are: {names}.').format(names=", ".join(listed)),
    )


def _wording(environment: Mapping[str, str]) -> Wording:
    language = environment.get("SPOC_LANGUAGE", "en")
    time_zone = environment.get("SPOC_TIME_ZONE", "UTC")
    return Wording(language if language in LANGUAGES else "en", time_zone)


def _this_notebook() -> Path | None:
    """Return the notebook that this kernel runs; None for a console or an editor that does not tell."""
    path = Path(os.environ.get("JPY_SESSION_NAME", ""))
    return path if path.suffix == ".ipynb" and path.is_file() else None


def _has_unsaved_changes(notebook: Path, run_cells: Mapping[str, str]) -> bool:
    """Return whether a cell was run with another source than the file has: the page is then ahead of it.

    The cell that runs now is the one that submits; how it was saved does not matter.
    """
    saved = {
        cell.get("id"): "".join(cell["source"])
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    }
    earlier = list(run_cells.items())[:-1]
    return any(saved[cell].strip() != source.strip() for cell, source in earlier if cell in saved)
