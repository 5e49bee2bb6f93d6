"""A released module of the sample course, and notebooks that learners hand in for it."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import nbformat
from nbformat import NotebookNode

from course.api import FeedbackDocument
from course.database import Database
from course.feedback import FeedbackStore
from course.releases import ReleaseStore
from course.roster import Roster
from course.state import StateFolder
from course.submissions import Submission, SubmissionStore
from graders.authoring.build import build_course
from graders.authoring.publication import Calendar
from graders.authoring.release import release_modules
from hub_config.settings import SAMPLE_MODULES_DIR

MODULE = "tables-and-cleaning"
EXERCISE = "tidy-columns"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A state folder with `MODULE` released and a roster."""

    state: StateFolder

    @property
    def release_dir(self) -> Path:
        return self.state.released_dir / MODULE

    @property
    def source_dir(self) -> Path:
        return self.state.course_dir / "source" / MODULE

    def hand_in(self, learner: str, folder: Path) -> Submission:
        """Submit a folder as the exchange does."""
        with closing(Database(self.state.database_url)) as database:
            store = SubmissionStore(database, self.state.submissions_dir)
            return store.get(store.receive(learner, MODULE, tar_of(folder), datetime.now(UTC)).submission)

    def now(self, submission: Submission) -> Submission:
        """Return the submission as it stands now."""
        with closing(Database(self.state.database_url)) as database:
            return SubmissionStore(database, self.state.submissions_dir).get(submission.id)

    def feedback(self, submission: Submission) -> FeedbackDocument:
        return FeedbackStore(self.state.feedback_dir).get(submission.id)

    def page(self, submission: Submission, notebook: str = "exercises") -> str:
        return FeedbackStore(self.state.feedback_dir).page(submission.id, notebook)


class Deploy(Protocol):
    """Makes deployments."""

    def __call__(self, *members: str) -> Deployment:
        """Return a new one; `members` are roster lines `username,name,email,role`."""


def release_module(state: StateFolder) -> None:
    """Build and release `MODULE`."""
    state.root.mkdir(parents=True)
    with closing(Database(state.database_url)) as database:
        build_course(SAMPLE_MODULES_DIR, state.course_dir, [MODULE])
        release_modules(
            SAMPLE_MODULES_DIR,
            state,
            [MODULE],
            ReleaseStore(database),
            Calendar(None, "Europe/Paris"),
            now=datetime.now(UTC),
        )


def deployed(released: StateFolder, root: Path, *members: str) -> Deployment:
    """Return a deployment below `root`: a copy of a state folder, and a roster."""
    state = StateFolder(root / "state")
    shutil.copytree(released.root, state.root)
    roster = root / "roster.csv"
    roster.write_text("\n".join(["username,name,email,role", *members]) + "\n", encoding="utf-8")
    with closing(Database(state.database_url)) as database:
        Roster(database).import_csv(roster)
    return Deployment(state)


def tar_of(folder: Path) -> io.BytesIO:
    """Return the regular files of a folder as an uncompressed tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                tar.add(path, arcname=str(path.relative_to(folder)))
    buffer.seek(0)
    return buffer


def edited(
    source: Path, target: Path, change: Callable[[NotebookNode], None], notebook: str = "exercises"
) -> Path:
    """Copy an assignment folder, with `change` made to one notebook; return the copy."""
    for path in source.rglob("*"):
        if path.is_file():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    node = nbformat.read(target / f"{notebook}.ipynb", as_version=4)
    change(node)
    nbformat.write(node, target / f"{notebook}.ipynb")
    return target


def cell_of(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    """Return the cell that nbgrader calls `grade_id`."""
    return next(
        cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id
    )


def with_code(code: str, grade_id: str = EXERCISE) -> Callable[[NotebookNode], None]:
    """Return the change that puts `code` in front of a learner's answer."""

    def change(notebook: NotebookNode) -> None:
        cell = cell_of(notebook, grade_id)
        cell.source = f"{code}\n{cell.source}"

    return change
