"""Whether the deployment in a state folder is in order."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from course.errors import Conflict, CourseError
from course.manifest import read_course
from course.migrations import NEWEST
from course.state import StateFolder
from hub_config.backup import DATABASES
from hub_config.checkup.finding import Finding, found
from hub_config.hub_process import refuse_a_second
from hub_config.runtime import is_free
from hub_config.settings import read_settings

# Before this release was made there is no time at which it runs.
RELEASED = datetime(2026, 11, 1, tzinfo=UTC)
CLOCK_TOLERANCE = timedelta(minutes=1)
BUSY_SECONDS = 15
SHOWN = 5


def check_deployment(state: StateFolder) -> Iterator[Finding]:
    """Look at what is in the state folder; a deployment that was not begun yet is no problem."""
    if state.root.is_dir() and not os.access(state.root, os.R_OK | os.X_OK):
        said = f"{state.root} is closed to uid {os.geteuid()}."
        yield Finding("permissions", "problem", said, "Run this as the user who runs the hub.")
        return
    yield settings_and_port(state)
    yield found("course", lambda: _read_course(state))
    newest = None
    if not (state.root / DATABASES[0]).exists():
        cure = "Begin with: spoc cohort import ROSTER.csv; or name a folder with --state-dir."
        yield Finding("state", "warning", f"There is no deployment in {state.root} yet.", cure)
    else:
        yield permissions(state, os.geteuid())
        databases = found("databases", lambda: _read_databases(state))
        yield databases
        if databases.status == "ok":
            yield found("submissions", lambda: _find_files(state))
            newest = _newest(state)
    yield clock(datetime.now(UTC), newest)


def settings_and_port(state: StateFolder) -> Finding:
    try:
        settings = read_settings(state)
    except CourseError as error:
        return Finding("settings", "problem", error.problem, error.next_step)
    try:
        refuse_a_second(state)
    except Conflict:
        return Finding("port", "ok", f"The hub runs, at port {settings.port}")
    if not is_free(settings.port):
        cure = "End that program, or choose another port: spoc serve --port."
        return Finding("port", "problem", f"Port {settings.port} is taken by another program.", cure)
    return Finding("port", "ok", f"Port {settings.port} is free")


def permissions(state: StateFolder, user: int) -> Finding:
    """Whether folder and secrets belong to `user`, who would run the hub, and are closed to all others."""
    paths = [path for path in (state.root, state.secrets_dir) if path.exists()]
    paths += sorted(state.secrets_dir.glob("*"))
    for path in paths:
        if (owner := path.stat().st_uid) != user:
            said = f"{path} belongs to uid {owner}, and this is uid {user}."
            return Finding("permissions", "problem", said, "Run spoc as the user whose it is.")
    wide = [path for path in paths if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    if wide:
        said = f"Open to other users: {', '.join(map(str, wide[:SHOWN]))}."
        cures = [f"chmod {'0700' if path.is_dir() else '0600'} {path}" for path in wide[:SHOWN]]
        return Finding("permissions", "problem", said, "Run: " + " && ".join(cures))
    return Finding("permissions", "ok", "State folder and secrets are the operator's alone")


def clock(now: datetime, newest: datetime | None) -> Finding:
    """Whether `now` can be true: due dates and invitations go by it. `newest` is the last recorded time."""
    cure = "Set the clock, and let it be kept: timedatectl set-ntp true."
    if now < RELEASED:
        return Finding("clock", "problem", f"It cannot be {now:%Y-%m-%d %H:%M} UTC already.", cure)
    if newest is not None and now < newest - CLOCK_TOLERANCE:
        said = f"It is {now:%Y-%m-%d %H:%M} UTC, before what was recorded at {newest:%Y-%m-%d %H:%M} UTC."
        return Finding("clock", "problem", said, cure)
    return Finding("clock", "ok", f"It is {now:%Y-%m-%d %H:%M} UTC")


def _read_course(state: StateFolder) -> str:
    course = read_course(read_settings(state).modules_dir)
    return f"{course.title}: {len(course.modules)} modules"


def _read_databases(state: StateFolder) -> str:
    present = [name for name in DATABASES if (state.root / name).exists()]
    try:
        damaged = [name for name in present if not _is_sound(state.root / name)]
    except sqlite3.OperationalError as error:
        raise CourseError(
            f"A database cannot be looked at now: {error}.",
            "Look again; if it stays so, stop the hub and see who has it open: fuser -v "
            + " ".join(str(state.root / name) for name in present),
        ) from error
    if damaged:
        raise CourseError(
            f"Damaged: {', '.join(damaged)}.",
            "Stop the hub, keep a copy of the state folder, and restore the last backup: spoc restore FILE.",
        )
    version = next(iter(_column(state, "alembic_version", "version_num")), "")
    if version > NEWEST:
        raise CourseError(
            f"A newer release has used the database: its version is {version!r}.",
            "Install that release, or restore a backup from before: spoc restore FILE.",
        )
    return "All can be read" + (
        "" if version == NEWEST else "; the next start brings the course's own up to date"
    )


def _find_files(state: StateFolder) -> str:
    numbers = _column(state, "submission", "id")
    lost = [number for number in numbers if not (state.submissions_dir / number / "receipt.json").is_file()]
    if lost:
        raise CourseError(
            f"{len(lost)} submissions have no files: {', '.join(lost[:SHOWN])}.",
            "Take their folders from a backup, into submissions/ of the state folder.",
        )
    return f"All {len(numbers)} have their files"


def _newest(state: StateFolder) -> datetime | None:
    times = _column(state, "event", "max(occurred_at)") + _column(state, "submission", "max(received_at)")
    return max((datetime.fromisoformat(text) for text in times if text), default=None)


def _is_sound(path: Path) -> bool:
    try:
        with closing(_opened(path)) as connection:
            return connection.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)]
    except sqlite3.OperationalError:
        # Locked, or not to be opened: that says nothing about what is in it.
        raise
    except sqlite3.DatabaseError:
        return False


def _column(state: StateFolder, table: str, column: str) -> list[str]:
    """Return a column of the course's database; empty when that release had no such table."""
    with closing(_opened(state.root / DATABASES[0])) as connection:
        has_table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        if connection.execute(has_table, (table,)).fetchone() is None:
            return []
        rows = connection.execute(f"SELECT {column} FROM {table}").fetchall()  # noqa: S608 - constants
    return [value for (value,) in rows]


def _opened(path: Path) -> sqlite3.Connection:
    # Looking must not bring it up to date. A connection that may not write would leave its `-shm` behind.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)
    connection.execute("PRAGMA query_only = ON")
    return connection
