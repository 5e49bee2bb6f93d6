"""What learners handed in: durable before it is acknowledged, and unchanged for ever.

A submission is a folder, see `course.submission_folder`, and a row, numbered in the order of arrival (the
clock is for display). Where its grading stands is `course.grading`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4, uuid5

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
from course.database import Database, UtcDateTime, metadata
from course.errors import Conflict, NotFound, TooLarge
from course.events import Event, EventLog
from course.submission_folder import SubmissionFolder, checksum

MAX_STORED_BYTES = 500 * 1024 * 1024
"""Of one learner for one assignment, all attempts together; a file counts as at least one disk block."""
_BLOCK_BYTES = 4096
SUBMITTED = "assignment.submitted"

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
        self._folders = SubmissionFolder(folder)

    # Receiving

    def open_upload(self) -> BinaryIO:
        """Return a file without a name on the disk of the submissions, for an archive as it comes."""
        return self._folders.open_upload()

    def receive(
        self, learner: str, assignment: str, archive: BinaryIO, now: datetime, key: UUID | None = None
    ) -> Receipt:
        """Keep what `learner` hands in; when this returns, it survives a power cut.

        Args:
            learner: Who hands in.
            assignment: For which released assignment.
            archive: An uncompressed tar, read once from front to back.
            now: The time that counts as the time of submission.
            key: Made by the sender for this submission: sent again with the same key and the same files, say
                because the reply was lost, it is the same submission, and gets its receipt.

        Raises:
            CourseError: The archive is refused, see `course.archive.unpack`; nothing is left of it.
            TooLarge: It, or all this learner has handed in for the assignment, is too large.
            Conflict: The key was used for other files, or its submission is being received.
        """
        number = uuid4() if key is None else uuid5(key, f"{learner}/{assignment}")
        with self._folders.draft(archive) as draft:
            receipt = Receipt(
                submission=number,
                assignment=assignment,
                received_at=now,
                sha256=checksum(draft.files),
                files=draft.files,
            )
            earlier = self._find(number)
            if earlier is not None:
                if earlier.sha256 != receipt.sha256:
                    raise Conflict("The files have changed since they were sent first.", "Submit again.")
                return earlier.receipt()
            self._folders.keep(draft, receipt)
        try:
            self._insert(learner, receipt)
        except Exception:
            # A commit that failed may hold all the same.
            if self._find(number) is None:
                self._folders.remove(number)
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
            EventLog(connection).append(
                Event(
                    event_id=uuid5(receipt.submission, "submitted"),
                    learner=learner,
                    kind=SUBMITTED,
                    occurred_at=receipt.received_at,
                    subject=receipt.assignment,
                    data={"submission": str(receipt.submission)},
                )
            )

    def sweep(self) -> None:
        """Remove what a crash left half received, see `SubmissionFolder.sweep`."""
        with self._database.read() as connection:
            known = set(connection.scalars(select(_c.id)))
        self._folders.sweep(known)

    # Reading

    def get(self, number: UUID) -> Submission:
        """Return one submission.

        Raises:
            NotFound: There is none of that id.
        """
        found = self._find(number)
        if found is None:
            raise NotFound(f"There is no submission {number}.")
        return found

    def _find(self, number: UUID) -> Submission | None:
        return next(iter(self._select(select(submission).where(_c.id == str(number)))), None)

    def of(self, learner: str, assignment: str | None = None) -> tuple[Submission, ...]:
        """Return a learner's submissions, newest first."""
        query = select(submission).where(_c.learner == learner).order_by(_c.number.desc())
        return self._select(query if assignment is None else query.where(_c.assignment == assignment))

    def every(self, assignment: str) -> tuple[Submission, ...]:
        """Return every submission for an assignment, newest first."""
        return self._select(select(submission).where(_c.assignment == assignment).order_by(_c.number.desc()))

    def newest(self, assignment: str | None = None) -> tuple[Submission, ...]:
        """Return the newest submission of every learner (and assignment), newest first."""
        query = select(submission).where(_c.number.in_(newest_numbers())).order_by(_c.number.desc())
        return self._select(query if assignment is None else query.where(_c.assignment == assignment))

    def find_newest(self, learner: str, assignment: str) -> Submission | None:
        return next(iter(self.of(learner, assignment)), None)

    def files_dir(self, number: UUID) -> Path:
        """Return the folder with the files of a submission, as they were sent; not to be changed."""
        return self._folders.files_dir(number)

    def packed(self, submission: Submission) -> BinaryIO:
        """Return the files of a submission as a zip, to read from its beginning; close it in the end."""
        return self._folders.packed(submission.receipt())

    def differences(self, number: UUID) -> tuple[str, ...]:
        """Return which files of a submission are not as its receipt says, by path.

        Raises:
            NotFound: There is no such submission.
        """
        return self._folders.differences(self.get(number).receipt())

    def _select(self, query: Select[Any]) -> tuple[Submission, ...]:
        with self._database.read() as connection:
            return tuple(map(submission_of, connection.execute(query)))


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
