"""A database goes from release to release without losing a row."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from subprocess import PIPE, Popen

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import course
from course.accounts import Accounts
from course.database import Database, metadata
from course.errors import Conflict
from course.events import EventStore
from course.migrations import NEWEST
from course.migrations.upgrade import alembic_config
from course.releases import ReleaseStore
from course.roster import Roster
from course.submissions import SubmissionStore

pytestmark = pytest.mark.quick

RELEASES = sorted((Path(__file__).parents[1] / "databases").glob("*.sql"))
AT_ONCE = 3
OPEN_WHEN_TOLD = """
import sys
from course.database import Database
import course.migrations.upgrade
print("ready", flush=True)
sys.stdin.read()
for address in sys.argv[1:]:
    Database(address).close()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spoc.sqlite"


def written_by(release: Path, path: Path) -> str:
    """Make the database of a release; return its address."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(release.read_text(encoding="utf-8"))
    return f"sqlite:///{path}"


def everything_in(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in tables}  # noqa: S608


def declared_tables() -> None:
    """Import every store, so that `metadata` has all tables."""
    for module in iter_modules(course.__path__):
        if not module.ispkg:
            import_module(f"course.{module.name}")


def differences(database: Database) -> list[object]:
    declared_tables()
    with database.read() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def test_the_migrations_make_what_the_stores_declare(path: Path) -> None:
    with closing(Database(f"sqlite:///{path}")) as database:
        assert database.version() == NEWEST
        assert differences(database) == []


def test_there_is_one_newest_version_and_the_code_knows_it() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [NEWEST]


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.stem)
def test_a_database_of_an_earlier_release_is_taken_over_without_loss(release: Path, path: Path) -> None:
    address = written_by(release, path)
    before = everything_in(path)
    with closing(Database(address)) as database:
        assert database.version() == NEWEST
        assert differences(database) == []
    after = everything_in(path)
    assert {name: len(after[name]) for name in before} == {name: len(rows) for name, rows in before.items()}


def test_what_release_0_1_0_wrote_means_the_same(path: Path, tmp_path: Path) -> None:
    release = next(release for release in RELEASES if release.stem == "release_0_1_0")
    with closing(Database(written_by(release, path))) as database:
        assert [(member.name, member.role) for member in Roster(database).members()] == [
            ("ada", "learner"),
            ("tia", "trainer"),
        ]
        ada = Accounts(database).find("ada")
        assert ada is not None
        assert ada.password_hash == "$argon2id$v=19$a-hash"
        (answer,) = EventStore(database).events(learner="ada")
        assert (answer.subject, answer.data["right"]) == ("tables/axis", True)
        assert answer.occurred_at == datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
        states = [each.state for each in SubmissionStore(database, tmp_path).of("ada", "tables")]
        assert states == ["received", "graded"]
        assert [each.assignment for each in ReleaseStore(database).released()] == ["tables"]


def test_processes_that_start_at_once_upgrade_once(path: Path) -> None:
    """Both a new database and an old one: none fails, and nothing is done twice."""
    addresses = [f"sqlite:///{path}", written_by(RELEASES[0], path.with_name("old.sqlite"))]
    command = [sys.executable, "-c", OPEN_WHEN_TOLD, *addresses]
    with ExitStack() as started:
        processes = [started.enter_context(Popen(command, stdin=PIPE, stdout=PIPE)) for _ in range(AT_ONCE)]
        outputs = [process.stdout for process in processes if process.stdout]
        assert [output.readline() for output in outputs] == [b"ready\n"] * AT_ONCE
        for process in processes:
            assert process.stdin
            process.stdin.close()
        assert [process.wait(60) for process in processes] == [0] * AT_ONCE
    for address in addresses:
        assert everything_in(Path(address.removeprefix("sqlite:///")))["alembic_version"] == [(NEWEST,)]


def test_a_database_of_a_newer_release_is_refused_and_stays_as_it_is(path: Path) -> None:
    Database(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = everything_in(path)
    with pytest.raises(Conflict, match="newer release: its version is '9999'") as refused:
        Database(f"sqlite:///{path}")
    assert "spoc restore" in refused.value.next_step
    assert everything_in(path) == before


def test_a_database_of_no_release_is_refused_and_stays_as_it_is(path: Path) -> None:
    address = written_by(RELEASES[0], path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE member RENAME COLUMN session_epoch TO epoch")
    before = everything_in(path)
    with pytest.raises(Conflict, match=r"'member'.*epoch, session_epoch"):
        Database(address)
    assert everything_in(path) == before
