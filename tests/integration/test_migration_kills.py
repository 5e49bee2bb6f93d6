"""Whoever is killed while a database is brought up to date leaves it as it was; the next start does it."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from course.database import Database
from course.migrations import NEWEST

RELEASE = Path(__file__).parents[1] / "databases" / "release_0_1_0.sql"
OPEN_AND_DIE = """
import os, signal, sys
from sqlalchemy import Engine, event
from course.database import Database

changes = []
@event.listens_for(Engine, "before_cursor_execute")
def die(connection, cursor, statement, *rest):
    if statement.lstrip().startswith(("CREATE", "ALTER", "INSERT", "UPDATE")):
        changes.append(statement)
        if len(changes) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
Database(sys.argv[1]).close()
print(len(changes))
"""


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def open_and_die(path: Path, at: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", OPEN_AND_DIE, f"sqlite:///{path}", str(at)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "of-0.1.0"])
def test_a_kill_at_any_change_leaves_the_database_as_it_was(tmp_path: Path, is_new: bool) -> None:
    path = tmp_path / "spoc.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("" if is_new else RELEASE.read_text(encoding="utf-8"))
    before, at, killed = dump(path), 1, 0
    while (ended := open_and_die(path, at)).returncode == -signal.SIGKILL:
        assert dump(path) == before
        at, killed = at + (1 if at < 4 else 4), killed + 1
    assert ended.returncode == 0, ended.stderr
    assert killed >= 3
    with closing(Database(f"sqlite:///{path}")) as database:
        assert database.version() == NEWEST
