"""What members did: an append-only record, oldest first, each event stored once.

Kinds in use:
    quiz.answered         subject `<quiz>/<question>`; data: answer, points, max_points, right, attempt
    assignment.submitted  subject `<assignment>`; data: submission
    assignment.graded     subject `<assignment>`; data: submission, points, max_points
    server.started        subject: the server's name, empty for the default one
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, Connection, Index, Integer, Row, String, Table, Uuid, select

from course.database import Database, UtcDateTime, metadata
from course.errors import Conflict

event_table = Table(
    "event",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("learner", String(31), nullable=False),
    Column("kind", String(50), nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("subject", String(250), nullable=False),
    Column("data", JSON, nullable=False),
    Index("ix_event_learner_kind", "learner", "kind"),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing one member did.

    `event_id` is made where the event was seen first, so that a retry is recognised; `occurred_at` is the
    server's time; `data` holds JSON values only.
    """

    event_id: UUID
    learner: str
    kind: str
    occurred_at: datetime
    subject: str
    data: dict[str, Any]


class EventLog:
    """The record as one transaction sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, event_id: UUID) -> Event | None:
        row = self._connection.execute(
            select(event_table).where(event_table.c.event_id == event_id)
        ).one_or_none()
        return None if row is None else _event(row)

    def append(self, event: Event) -> bool:
        """Add `event`; return False if it is already there, which is what a retry looks like.

        Raises:
            Conflict: The id belongs to another event: of someone else, of another kind or on another subject.
        """
        stored = self.find(event.event_id)
        if stored is not None:
            if _identity(stored) != _identity(event):
                raise Conflict("This event id belongs to another event.", "Use a new id for a new event.")
            return False
        self._connection.execute(
            event_table.insert().values(
                event_id=event.event_id,
                learner=event.learner,
                kind=event.kind,
                occurred_at=event.occurred_at,
                subject=event.subject,
                data=event.data,
            )
        )
        return True

    def events(
        self,
        *,
        learner: str | None = None,
        kind: str | None = None,
        subject: str | None = None,
        until: datetime | None = None,
    ) -> tuple[Event, ...]:
        """Return the events that match everything given, oldest first; `until` itself is included."""
        query = select(event_table).order_by(event_table.c.occurred_at, event_table.c.sequence)
        if learner is not None:
            query = query.where(event_table.c.learner == learner)
        if kind is not None:
            query = query.where(event_table.c.kind == kind)
        if subject is not None:
            query = query.where(event_table.c.subject == subject)
        if until is not None:
            query = query.where(event_table.c.occurred_at <= until)
        return tuple(_event(row) for row in self._connection.execute(query))


class EventStore:
    """The record of a deployment; safe for many threads and processes at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def transaction(self) -> Iterator[EventLog]:
        """Give the log under the write lock: what was read stays true until the block is left.

        What was appended is durable once the block has been left; an exception takes it back.
        """
        with self._database.write() as connection:
            yield EventLog(connection)

    def record(self, event: Event) -> bool:
        """Append `event` durably; return False if it is already stored.

        Raises:
            Conflict: The id belongs to another event.
        """
        with self.transaction() as log:
            return log.append(event)

    def events(
        self,
        *,
        learner: str | None = None,
        kind: str | None = None,
        subject: str | None = None,
        until: datetime | None = None,
    ) -> tuple[Event, ...]:
        """Return the events that match everything given, oldest first; `until` itself is included."""
        with self._database.read() as connection:
            return EventLog(connection).events(learner=learner, kind=kind, subject=subject, until=until)


def _identity(event: Event) -> tuple[str, str, str]:
    return event.learner, event.kind, event.subject


def _event(row: Row[Any]) -> Event:
    return Event(row.event_id, row.learner, row.kind, row.occurred_at, row.subject, row.data)
