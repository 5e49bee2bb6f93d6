"""Brings a database to the version that this code works with."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from course.errors import Conflict
from course.migrations import NEWEST

FOLDER = Path(__file__).parent


def upgrade(connection: Connection) -> None:
    """Take every step that this database lacks; none when another process was first.

    Args:
        connection: It must hold the write lock. All steps are one transaction: after a crash none was taken.

    Raises:
        Conflict: A newer release has worked with the database, or a development version that was never one.
    """
    found = MigrationContext.configure(connection).get_current_revision()
    if found == NEWEST:
        return
    config = alembic_config()
    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise Conflict(
            f"The database {connection.engine.url.database} was used by a newer release: its version is "
            f"{found[:40]!r}, this release knows {NEWEST!r} as the newest.",
            "Install that release again, or restore a backup from before: spoc restore FILE.",
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def alembic_config() -> Config:
    """Return what alembic needs to know; there is no file of it."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config
