"""Feedback that learners may read: a document and one page per notebook, by submission."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from course.api import FeedbackDocument
from course.archive import fsync_folder
from course.errors import NotFound

_DOCUMENT = "feedback.json"


class FeedbackStore:
    """Feedback in one folder; a reader never meets half a file, and what was written survives a power cut."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, document: FeedbackDocument, pages: Mapping[str, str]) -> None:
        """Publish feedback on a submission, in place of an earlier one.

        Args:
            document: Its `notebooks` name the pages.
            pages: HTML by the notebook's name, safe to show as it is.

        Raises:
            ValueError: The document names other pages.
        """
        if set(document.notebooks) != set(pages):
            raise ValueError(f"the document names {document.notebooks}, the pages are {sorted(pages)}")
        folder = self._folder_of(document.submission)
        for name, html in pages.items():
            _replace(folder / f"{name}.html", html)
        # The document comes last: it is what makes the pages known.
        _replace(folder / _DOCUMENT, document.model_dump_json(indent=1))
        fsync_folder(folder)

    def keep(self, submission: UUID, name: str, text: str) -> None:
        """Keep a file that feedback is made from beside it; no learner can ask for it."""
        folder = self._folder_of(submission)
        _replace(folder / name, text)
        fsync_folder(folder)

    def _folder_of(self, submission: UUID) -> Path:
        """Return the folder of a submission, made durably where it is new."""
        folder = self._folder / str(submission)
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            fsync_folder(self._folder)
        return folder

    def kept(self, submission: UUID, suffix: str) -> tuple[Path, ...]:
        """Return the kept files with this suffix, by name."""
        return tuple(sorted((self._folder / str(submission)).glob(f"[!.]*{suffix}")))

    def get(self, submission: UUID) -> FeedbackDocument:
        """Return the feedback on a submission.

        Raises:
            NotFound: There is none yet.
        """
        path = self._folder / str(submission) / _DOCUMENT
        if not path.exists():
            raise NotFound(
                "There is no feedback on this submission yet.", "It comes within a minute of grading."
            )
        return FeedbackDocument.model_validate_json(path.read_text(encoding="utf-8"))

    def page(self, submission: UUID, notebook: str) -> str:
        """Return a notebook with feedback as HTML, without scripts.

        Raises:
            NotFound: There is no feedback yet, or it has no such notebook.
        """
        if notebook not in self.get(submission).notebooks:
            raise NotFound(f"There is no feedback on a notebook {notebook!r}.")
        return (self._folder / str(submission) / f"{notebook}.html").read_text(encoding="utf-8")


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
