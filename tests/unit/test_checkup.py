"""`spoc doctor` tells a healthy machine from a sick one, and each time what to do."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

from course.database import Database
from course.errors import CourseError
from course.events import Event, EventStore
from course.state import StateFolder
from course.submissions import SubmissionStore
from hub_config.checkup import machine
from hub_config.checkup.deployment import check_deployment, clock, permissions
from hub_config.checkup.finding import Finding, found
from hub_config.checkup.machine import cgroups, disk, memory, packages, python_version
from hub_config.cli import spoc
from hub_config.runtime import free_port
from hub_config.secrets import secret
from hub_config.settings import Settings, write_settings
from tests.unit.record.uploads import NOW, tar_of

pytestmark = pytest.mark.quick


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """A deployment of the sample course with one submission."""
    state = StateFolder(tmp_path / "state")
    state.root.mkdir(mode=0o700)
    write_settings(state, Settings(port=free_port()))
    secret(state, "cookies")
    with closing(Database(state.database_url)) as database:
        store = SubmissionStore(database, state.submissions_dir)
        store.receive("ada", "tables", tar_of(("exercises.ipynb", b"{}")), NOW)
    return state


def look(state: StateFolder) -> dict[str, Finding]:
    findings = {finding.subject: finding for finding in check_deployment(state)}
    for finding in findings.values():
        assert (finding.status == "ok") == (not finding.cure), finding
    return findings


def test_a_deployment_in_order_has_no_finding(state: StateFolder) -> None:
    before = sorted(state.root.rglob("*"))
    findings = look(state)
    assert sorted(state.root.rglob("*")) == before
    assert {finding.status for finding in findings.values()} == {"ok"}
    assert set(findings) == {"port", "course", "permissions", "databases", "submissions", "clock"}


def test_a_deployment_that_was_not_begun_is_no_problem_and_is_not_made(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "none")
    assert look(state)["state"].status == "warning"
    assert not state.root.exists()


def test_a_port_of_another_program_is_a_problem(state: StateFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        write_settings(state, Settings(port=taken.getsockname()[1]))
        assert look(state)["port"].status == "problem"


def test_settings_that_cannot_be_used_are_a_problem(state: StateFolder) -> None:
    (state.root / "settings.yaml").write_text("port: eight")
    assert look(state)["settings"].status == "problem"


def test_a_secret_that_others_read_and_a_folder_of_somebody_else_are_problems(state: StateFolder) -> None:
    (state.secrets_dir / "cookies").chmod(0o640)
    assert f"chmod 0600 {state.secrets_dir / 'cookies'}" in look(state)["permissions"].cure
    assert permissions(state, 12345).said.startswith(f"{state.root} belongs to uid")


def test_a_damaged_database_is_a_problem_and_looking_changes_nothing(state: StateFolder) -> None:
    path = state.root / "spoc.sqlite"
    content = bytearray(path.read_bytes())
    content[4096:12288] = b"\x7f" * 8192
    path.write_bytes(content)
    assert "restore" in look(state)["databases"].cure
    assert path.read_bytes() == content


def test_a_database_that_somebody_holds_is_not_called_damaged(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_config.checkup.deployment.BUSY_SECONDS", 0.1)
    (state.root / "course").mkdir()
    with closing(sqlite3.connect(state.root / "course" / "gradebook.db", isolation_level=None)) as other:
        other.execute("CREATE TABLE IF NOT EXISTS one (number INTEGER)")
        other.execute("BEGIN EXCLUSIVE")
        finding = look(state)["databases"]
    assert finding.status == "problem"
    assert "locked" in finding.said
    assert "restore" not in finding.cure


@pytest.mark.parametrize(("version", "status"), [("9999", "problem"), ("0000", "ok")])
def test_only_a_database_of_a_newer_release_is_a_problem(
    state: StateFolder, version: str, status: str
) -> None:
    with closing(sqlite3.connect(state.root / "spoc.sqlite")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        connection.commit()
    assert look(state)["databases"].status == status


def test_a_submission_without_files_is_a_problem(state: StateFolder) -> None:
    shutil.rmtree(state.submissions_dir)
    assert look(state)["submissions"].status == "problem"


def test_a_clock_before_the_release_or_before_what_was_recorded_is_a_problem(state: StateFolder) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert clock(datetime(1970, 1, 1, tzinfo=UTC), None).status == "problem"
    assert clock(tomorrow, tomorrow + timedelta(seconds=5)).status == "ok"
    with closing(Database(state.database_url)) as database:
        EventStore(database).record(Event(uuid4(), "ada", "server.started", tomorrow, "", {}))
    assert look(state)["clock"].status == "problem"


def test_missing_and_outdated_packages_are_named_extras_included() -> None:
    installed = metadata.version("click")
    asked = [
        'jupyter-spoc[grader]; extra == "hub"',
        'no-such-package>=1; extra == "grader"',
        'other-package; extra == "dev"',
        "click>=9999",
    ]
    finding = packages(asked)
    assert finding.said == f"click {installed} is not >=9999; no-such-package is missing."
    assert "make setup" in finding.cure
    assert packages(metadata.requires("jupyter-spoc") or ()).status == "ok"


def test_a_python_without_tests_is_a_warning() -> None:
    assert [python_version(version).status for version in ("3.11", "3.99")] == ["ok", "warning"]


def test_little_memory_is_a_warning() -> None:
    assert memory("MemTotal: 9 kB\nMemAvailable:   500000 kB\n").status == "warning"
    assert memory("MemAvailable: 8000000 kB\n").status == "ok"


@pytest.mark.parametrize(("free", "status"), [(2**20, "problem"), (2**32, "warning"), (2**40, "ok")])
def test_a_disk_is_judged_by_what_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, status: str
) -> None:
    usage = type(shutil.disk_usage(tmp_path))(2**41, 2**41 - free, free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
    assert disk(tmp_path).status == status


def test_control_groups_of_both_versions_are_recognised(tmp_path: Path) -> None:
    assert cgroups(tmp_path).status == "warning"
    for name in ("memory", "pids"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cgroup.procs").touch()
    assert "v1" in cgroups(tmp_path).said
    (tmp_path / "cgroup.procs").touch()
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    assert "v2" in cgroups(tmp_path).said


def test_an_error_of_ours_is_a_problem_with_its_cure() -> None:
    def look() -> str:
        raise CourseError("It is broken.", "Mend it.")

    assert found("it", look) == Finding("it", "problem", "It is broken.", "Mend it.")


def test_the_command_ends_with_1_when_something_is_to_be_done(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "check_sandbox", lambda: None)
    command = ["doctor", "--state-dir", str(state.root)]
    well = CliRunner().invoke(spoc, [*command, "--json"])
    assert (well.exit_code, json.loads(well.output)["ok"]) == (0, True)
    shutil.rmtree(state.submissions_dir)
    ill = CliRunner().invoke(spoc, command)
    assert ill.exit_code == 1
    assert "PROBLEM  submissions: 1 submissions have no files" in ill.output
    assert "do: Take their folders from a backup" in ill.output
