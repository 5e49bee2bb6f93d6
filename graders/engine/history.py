"""What automatic scores were before they changed: a table beside nbgrader's, in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    insert,
    inspect,
    select,
)
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, CreateTable

_change = Table(
    "spoc_score_change",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("changed_at", DateTime, nullable=False),
    Column("assignment", String(128), nullable=False, index=True),
    Column("student", String(128), nullable=False),
    Column("notebook", String(128), nullable=False),
    Column("cell", String(128), nullable=False),
    Column("before", Float),
    Column("after", Float),
    Column("waited_before", Boolean, nullable=False),
    Column("waits_after", Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """An automatic score before and after grading, and whether the cell waits for a person."""

    assignment: str
    student: str
    notebook: str
    cell: str
    before: float | None
    after: float | None
    waited_before: bool
    waits_after: bool


def prepare_history(engine: Engine) -> None:
    """Make the table where it is missing, however many commands come to it at once."""
    with engine.begin() as connection:
        connection.execute(CreateTable(_change, if_not_exists=True))
        for index in _change.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))


def record_changes(session: Session, changes: Sequence[ScoreChange]) -> None:
    """Add changes to the transaction of `session`."""
    if not changes:
        return
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [{name: getattr(change, name) for name in ScoreChange.__slots__} for change in changes]
    session.execute(insert(_change), [{"changed_at": now, **row} for row in rows])


def read_history(
    engine: Engine, assignment: str, student: str | None = None
) -> tuple[tuple[datetime, ScoreChange], ...]:
    """Return every change of an assignment's scores with its time (UTC), oldest first."""
    if not inspect(engine).has_table(_change.name):
        return ()
    query = select(_change).where(_change.c.assignment == assignment).order_by(_change.c.number)
    if student is not None:
        query = query.where(_change.c.student == student)
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return tuple(
        (
            row.changed_at.replace(tzinfo=UTC),
            ScoreChange(*(getattr(row, name) for name in ScoreChange.__slots__)),
        )
        for row in rows
    )
