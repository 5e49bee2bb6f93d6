"""`spoc grade`: what a trainer can ask without opening a page."""

from __future__ import annotations

import io
import json
import tarfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from course.database import Database
from course.state import StateFolder
from course.submissions import SubmissionStore
from hub_config.cli import spoc

pytestmark = pytest.mark.quick


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    state = StateFolder(tmp_path)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("exercises.ipynb")
        tar.addfile(entry)
    buffer.seek(0)
    with closing(Database(state.database_url)) as database:
        store = SubmissionStore(database, state.submissions_dir)
        store.receive("ada", "tables", buffer, datetime(2026, 3, 2, tzinfo=UTC))
    return state


def run(state: StateFolder, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(spoc, ["grade", *arguments, "--state-dir", str(state.root)])
    return result.exit_code, result.output


def test_status_shows_the_newest_of_everybody(state: StateFolder) -> None:
    code, output = run(state, "status")
    assert code == 0
    assert "tables  ada  2026-03-02 00:00 UTC  received" in output
    code, output = run(state, "status", "--json")
    assert [each["state"] for each in json.loads(output)["submissions"]] == ["received"]


def test_an_unknown_assignment_is_named_with_the_next_step(state: StateFolder) -> None:
    code, output = run(state, "run", "charts")
    assert code == 1
    assert "no released assignment 'charts'" in output
    assert "spoc module release" in output


def test_a_folder_without_a_deployment_is_not_filled(tmp_path: Path) -> None:
    code, output = run(StateFolder(tmp_path / "none"), "status")
    assert code == 1
    assert "no deployment" in output
    assert not (tmp_path / "none").exists()
