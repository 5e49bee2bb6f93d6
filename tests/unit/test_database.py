"""The database keeps what it has acknowledged, in order of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, select
from sqlalchemy.exc import IntegrityError, StatementError

from course.database import Database, UtcDateTime

pytestmark = pytest.mark.quick

SEEN = Table(
    "seen", MetaData(), Column("id", Integer, primary_key=True), Column("at", UtcDateTime, nullable=False)
)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    with database.write() as connection:
        SEEN.create(connection)
    return database


def test_times_come_back_as_the_same_instant_in_utc(database: Database) -> None:
    paris = datetime(2026, 11, 24, 9, 0, tzinfo=timezone(timedelta(hours=1)))
    with database.write() as connection:
        connection.execute(SEEN.insert().values(id=1, at=paris))
    with database.read() as connection:
        at = connection.execute(select(SEEN.c.at)).scalar_one()
    assert at == paris
    assert at.tzinfo == UTC


def test_a_time_without_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="no time zone"), database.write() as connection:
        connection.execute(SEEN.insert().values(id=1, at=datetime(2026, 11, 24)))


def test_a_failed_write_leaves_nothing(database: Database) -> None:
    row = SEEN.insert().values(id=1, at=datetime.now(UTC))
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(row)
        connection.execute(row)
    with database.read() as connection:
        assert connection.execute(select(SEEN)).all() == []


def test_an_acknowledged_write_survives_a_power_cut_on_sqlite(database: Database) -> None:
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
