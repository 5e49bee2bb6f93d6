"""Which assignments learners can see: set by releasing, read by everyone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Integer, Row, String, Table, insert, select, update

from course.database import Database, UtcDateTime, metadata
from course.errors import NotFound

released_assignment = Table(
    "released_assignment",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("assignment", String(100), nullable=False, unique=True),
    Column("title", String(300), nullable=False),
    Column("due_at", UtcDateTime),
    Column("released_at", UtcDateTime, nullable=False),
    Column("notebooks", JSON, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Release:
    """One released assignment; `notebooks` are names without `.ipynb`, in reading order."""

    assignment: str
    title: str
    due_at: datetime | None
    released_at: datetime
    notebooks: tuple[str, ...]


class ReleaseStore:
    """The released assignments of one course."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def release(
        self,
        assignment: str,
        *,
        title: str,
        notebooks: Sequence[str],
        due_at: datetime | None,
        now: datetime,
    ) -> Release:
        """Show an assignment to learners; released before: its title, notebooks and due date are renewed."""
        table = released_assignment
        values = {"title": title, "notebooks": list(notebooks), "due_at": due_at}
        with self._database.write() as connection:
            known = connection.execute(
                update(table).where(table.c.assignment == assignment).values(values)
            ).rowcount
            if not known:
                connection.execute(insert(table).values(assignment=assignment, released_at=now, **values))
        return self.get(assignment)

    def get(self, assignment: str) -> Release:
        """Return one released assignment.

        Raises:
            NotFound: It does not exist, or is not released.
        """
        query = select(released_assignment).where(released_assignment.c.assignment == assignment)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(
                f"There is no released assignment {assignment!r}.",
                "A trainer releases one with: spoc module release",
            )
        return _release(row)

    def released(self) -> tuple[Release, ...]:
        """Return every released assignment in the order of first release."""
        with self._database.read() as connection:
            rows = connection.execute(select(released_assignment).order_by(released_assignment.c.number))
            return tuple(map(_release, rows))


def _release(row: Row[Any]) -> Release:
    return Release(row.assignment, row.title, row.due_at, row.released_at, tuple(row.notebooks))
