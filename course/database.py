"""The one database of a deployment: SQLite in the state folder.

Each store module declares its tables on `metadata` and works on a `Database`; `course.migrations` makes
and changes them. A write is durable when its `with database.write()` block has been left: SQLite runs
with WAL and synchronous=FULL.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Dialect, MetaData, String, TypeDecorator, create_engine, event, inspect

from course.migrations import NEWEST

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BUSY_SECONDS = 15


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept as ISO 8601 in UTC with microseconds, so that text order is time order."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Database:
    """Connections to one database; safe for many threads and processes at once."""

    def __init__(self, url: str) -> None:
        """Open `url`; make its tables, or bring them up to date when an older release made them.

        Of processes that do so at once, one does it and the others wait.

        Args:
            url: As SQLAlchemy takes it, for instance `sqlite:////srv/spoc/spoc.sqlite`.

        Raises:
            Conflict: A newer release has worked with this database.
        """
        self.engine = create_engine(url)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writing = self.engine.execution_options(spoc_write=True)
        try:
            if self.version() != NEWEST:
                self._upgrade()
        except BaseException:
            self.close()
            raise

    def version(self) -> str | None:
        """Return the version of the schema; None in a new database, and in one that kept none."""
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return None if found is None else str(found)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database throughout."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection that holds the write lock; leaving the block commits, an exception rolls back."""
        with self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()

    def _upgrade(self) -> None:
        # A start is one of thousands in which there is nothing to upgrade: alembic need not be loaded for it.
        from course.migrations.upgrade import upgrade

        with self.write() as connection:
            upgrade(connection)


def is_disk_full(error: BaseException | None) -> bool:
    """Return whether an error, or what it came from, is that a disk or a quota has no space left."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            return True
        error = error.__cause__
    return False


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction handling would begin too late for BEGIN IMMEDIATE.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_SECONDS * 1000}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that later writes fails at once with "database is locked"
    # when another wrote in between; IMMEDIATE waits for its turn.
    write = connection.get_execution_options().get("spoc_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
