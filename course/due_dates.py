"""When an assignment is due for whom: on the day of its release, or later for whom a trainer gave longer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Integer, String, Table, UniqueConstraint, delete, select

from course.database import Database, UtcDateTime, metadata
from course.errors import Conflict
from course.releases import Release, released_assignment

extended_due_date = Table(
    "extended_due_date",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("learner", String(31), nullable=False),
    Column("assignment", String(100), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("granted_at", UtcDateTime, nullable=False),
    UniqueConstraint("learner", "assignment"),
)
_c = extended_due_date.c


class DueDates:
    """The due dates of one course, learner by learner."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def extend(self, learner: str, release: Release, due_at: datetime, now: datetime) -> None:
        """Let `learner` hand in until `due_at` without being late; an earlier extension gives way.

        Raises:
            Conflict: The assignment is never due, or as late for everybody.
        """
        if release.due_at is None:
            raise Conflict(f"{release.assignment} has no due date, so nobody can be late.")
        if due_at <= release.due_at:
            raise Conflict(
                f"{release.assignment} is due then or later for everybody.",
                "Give a later time, or take an extension back with --withdraw.",
            )
        with self._database.write() as connection:
            connection.execute(delete(extended_due_date).where(_of(learner, release.assignment)))
            connection.execute(
                extended_due_date.insert().values(
                    learner=learner, assignment=release.assignment, due_at=due_at, granted_at=now
                )
            )

    def withdraw(self, learner: str, assignment: str) -> bool:
        """Take an extension back; return whether there was one."""
        with self._database.write() as connection:
            query = delete(extended_due_date).where(_of(learner, assignment))
            return connection.execute(query).rowcount == 1

    def extensions(self) -> Mapping[tuple[str, str], datetime]:
        """Return until when, by learner and assignment."""
        query = select(extended_due_date).order_by(_c.assignment, _c.learner)
        with self._database.read() as connection:
            return {(row.learner, row.assignment): row.due_at for row in connection.execute(query)}

    def due_at(self, learner: str, assignment: str) -> datetime | None:
        """Return when an assignment is due for a learner; None if it never is, or is not released."""
        own = select(_c.due_at).where(_of(learner, assignment))
        usual = select(released_assignment.c.due_at).where(released_assignment.c.assignment == assignment)
        with self._database.read() as connection:
            return later(connection.scalar(usual), connection.scalar(own))


def later(usual: datetime | None, own: datetime | None) -> datetime | None:
    """Return the due date of a learner who has an own one: never earlier than that of everybody."""
    return usual if usual is None or own is None else max(usual, own)


def _of(learner: str, assignment: str) -> ColumnElement[bool]:
    return (_c.learner == learner) & (_c.assignment == assignment)
