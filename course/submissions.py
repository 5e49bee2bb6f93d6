"""What learners handed in: durable before it is acknowledged, and unchanged for ever.

A submission is a folder `<id>/files/` with its `<id>/receipt.json`, and a row, numbered in the order of
arrival (the clock is for display). Where its grading stands is `course.grading`'s.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    Row,
    Select,
    String,
    Table,
    Text,
    func,
    insert,
    select,
)

from course.api import GradingState, Receipt, SubmissionStatus, SubmittedFile
from course.archive import fsync_folder, unpack
from course.database import Database, UtcDateTime, metadata
from course.errors import NotFound, TooLarge

MAX_STORED_BYTES = 500 * 1024 * 1024
"""Of one learner for one assignment, all attempts together; a file counts as at least one disk block."""
_BLOCK_BYTES = 4096
_INCOMING = ".incoming"
_UNKNOWN = ".unknown"
_log = logging.getLogger("spoc.submissions")

submission = Table(
    "submission",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("learner", String(64), nullable=False),
    Column("assignment", String(100), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("files", JSON, nullable=False),
    Column("stored_bytes", Integer, nullable=False),
    Column("state", String(10), nullable=False, index=True),
    Column("problem", Text, nullable=False, default=""),
    Column("claims", Integer, nullable=False, default=0),
    # What went wrong last time may be over by then.
    Column("not_before", UtcDateTime),
    Column("points", Float),
    Column("max_points", Float),
    Column("feedback_at", UtcDateTime),
    # Marks given by hand may be shown; how often feedback was asked for since it was last written.
    Column("marks_released", Boolean, nullable=False, default=False),
    Column("feedback_due", Integer, nullable=False, default=0, index=True),
    Index("ix_submission_learner_assignment", "learner", "assignment", "number"),
)
_c = submission.c


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission and where its grading stands."""

    id: UUID
    learner: str
    assignment: str
    received_at: datetime
    sha256: str
    files: tuple[SubmittedFile, ...]
    state: GradingState
    problem: str
    claims: int
    points: float | None
    max_points: float | None
    feedback_at: datetime | None
    marks_released: bool
    feedback_due: int = 0

    def receipt(self) -> Receipt:
        return Receipt(
            submission=self.id,
            assignment=self.assignment,
            received_at=self.received_at,
            sha256=self.sha256,
            files=self.files,
        )

    def status(self) -> SubmissionStatus:
        return SubmissionStatus(
            submission=self.id,
            assignment=self.assignment,
            learner=self.learner,
            received_at=self.received_at,
            state=self.state,
            problem=self.problem,
            points=self.points,
            max_points=self.max_points,
            feedback_at=self.feedback_at,
        )


class SubmissionStore:
    """The submissions of one course; safe for many threads and processes at once."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    # Receiving

    def receive(self, learner: str, assignment: str, archive: BinaryIO, now: datetime) -> Receipt:
        """Keep what `learner` hands in; when this returns, it survives a power cut.

        Args:
            learner: Who hands in.
            assignment: For which released assignment.
            archive: An uncompressed tar, read once from front to back.
            now: The time that counts as the time of submission.

        Raises:
            CourseError: The archive is refused, see `course.archive.unpack`; nothing is left of it.
            TooLarge: It, or all this learner has handed in for the assignment, is too large.
        """
        number = uuid4()
        incoming = self._folder / _INCOMING / str(number)
        target = self._folder / str(number)
        incoming.mkdir(parents=True, mode=0o700)
        try:
            (incoming / "files").mkdir(mode=0o700)
            files = unpack(archive, incoming / "files")
            receipt = Receipt(
                submission=number, assignment=assignment, received_at=now, sha256=checksum(files), files=files
            )
            _write_durably(incoming / "receipt.json", receipt.model_dump_json(indent=1))
            fsync_folder(incoming)
            incoming.rename(target)
        except BaseException:
            shutil.rmtree(incoming, ignore_errors=True)
            raise
        try:
            fsync_folder(self._folder)
            self._insert(learner, receipt)
        except Exception:
            shutil.rmtree(target)
            raise
        return receipt

    def _insert(self, learner: str, receipt: Receipt) -> None:
        stored = sum(max(_BLOCK_BYTES, file.size_bytes) for file in receipt.files)
        mine = (_c.learner == learner) & (_c.assignment == receipt.assignment)
        with self._database.write() as connection:
            before = connection.scalar(select(func.sum(_c.stored_bytes)).where(mine)) or 0
            if before + stored > MAX_STORED_BYTES:
                raise TooLarge(
                    f"Your submissions for this assignment weigh {MAX_STORED_BYTES // 2**20} MB together.",
                    "Remove large files and outputs. If that does not help, ask your trainer.",
                )
            connection.execute(
                insert(submission).values(
                    id=str(receipt.submission),
                    learner=learner,
                    assignment=receipt.assignment,
                    received_at=receipt.received_at,
                    sha256=receipt.sha256,
                    files=[file.model_dump() for file in receipt.files],
                    stored_bytes=stored,
                    state="received",
                )
            )

    def sweep(self) -> None:
        """Remove what a crash left half received; only while nothing is received.

        Somebody may hold the receipt of a submission that the database does not know, say an older one that
        was restored: it is set aside in `.unknown/`, for a person to look at.
        """
        shutil.rmtree(self._folder / _INCOMING, ignore_errors=True)
        with self._database.read() as connection:
            known = set(connection.scalars(select(_c.id)))
        for path in sorted(self._folder.iterdir()) if self._folder.exists() else ():
            if path.name in known or path.name == _UNKNOWN:
                continue
            if path.is_symlink() or not path.is_dir():
                _log.warning("%s is no submission; it stays where it is", path)
                continue
            aside = self._folder / _UNKNOWN / path.name
            if aside.exists():
                aside = aside.with_name(f"{path.name}-{uuid4()}")
            aside.parent.mkdir(mode=0o700, exist_ok=True)
            path.rename(aside)
            _log.warning("the database does not know submission %s; it is now in %s", path.name, aside)

    # Reading

    def get(self, number: UUID) -> Submission:
        """Return one submission.

        Raises:
            NotFound: There is none of that id.
        """
        found = self._select(select(submission).where(_c.id == str(number)))
        if not found:
            raise NotFound(f"There is no submission {number}.")
        return found[0]

    def of(self, learner: str, assignment: str | None = None) -> tuple[Submission, ...]:
        """Return a learner's submissions, newest first."""
        query = select(submission).where(_c.learner == learner).order_by(_c.number.desc())
        return self._select(query if assignment is None else query.where(_c.assignment == assignment))

    def newest(self, assignment: str | None = None) -> tuple[Submission, ...]:
        """Return the newest submission of every learner (and assignment), newest first."""
        query = select(submission).where(_c.number.in_(newest_numbers())).order_by(_c.number.desc())
        return self._select(query if assignment is None else query.where(_c.assignment == assignment))

    def find_newest(self, learner: str, assignment: str) -> Submission | None:
        return next(iter(self.of(learner, assignment)), None)

    def files_dir(self, number: UUID) -> Path:
        """Return the folder with the files of a submission, as they were sent; not to be changed."""
        return self._folder / str(number) / "files"

    def _select(self, query: Select[Any]) -> tuple[Submission, ...]:
        with self._database.read() as connection:
            return tuple(map(submission_of, connection.execute(query)))


def checksum(files: Iterable[SubmittedFile]) -> str:
    """Return what a receipt's `sha256` is for these files: over sha256sum's lines, by path."""
    lines = "".join(f"{file.sha256}  {file.path}\n" for file in sorted(files, key=lambda file: file.path))
    return hashlib.sha256(lines.encode()).hexdigest()


def newest_numbers(state: GradingState | None = None) -> Select[Any]:
    """Return the query for the row numbers of each learner's newest submission (in `state`) by assignment."""
    rows = submission.alias()
    query = select(func.max(rows.c.number)).group_by(rows.c.learner, rows.c.assignment)
    return query if state is None else query.where(rows.c.state == state)


def submission_of(row: Row[Any]) -> Submission:
    """Return a row of the table as what it means."""
    return Submission(
        id=UUID(row.id),
        learner=row.learner,
        assignment=row.assignment,
        received_at=row.received_at,
        sha256=row.sha256,
        files=tuple(SubmittedFile(**file) for file in row.files),
        state=row.state,
        problem=row.problem,
        claims=row.claims,
        points=row.points,
        max_points=row.max_points,
        feedback_at=row.feedback_at,
        marks_released=row.marks_released,
        feedback_due=row.feedback_due,
    )


def _write_durably(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
