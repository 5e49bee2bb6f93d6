"""`spoc submissions`: what a learner handed in is listed, checked against its receipts, and copied."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from course.database import Database
from course.state import StateFolder
from course.submissions import SubmissionStore
from hub_config.cli import spoc
from tests.unit.record.uploads import NOW, tar_of

pytestmark = pytest.mark.quick


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """Ada handed in twice, ben once."""
    state = StateFolder(tmp_path / "state")
    state.root.mkdir()
    with closing(Database(state.database_url)) as database:
        store = SubmissionStore(database, state.submissions_dir)
        for learner, content in (("ada", b"1"), ("ben", b"b"), ("ada", b"2")):
            now = NOW + timedelta(seconds=len(store.newest()))
            store.receive(learner, "tables", tar_of(("data/a.csv", content)), now)
    return state


def run(state: StateFolder, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(spoc, ["submissions", *arguments, "--state-dir", str(state.root)])
    return result.exit_code, result.output


def test_every_submission_of_a_learner_is_listed_newest_first_and_copied(
    state: StateFolder, tmp_path: Path
) -> None:
    code, output = run(state, "tables", "ada", "--to", str(tmp_path / "copy"), "--json")
    assert code == 0
    listed = json.loads(output)["submissions"]
    assert [each["received_at"] for each in listed] == ["2026-03-02T09:30:02Z", "2026-03-02T09:30:00Z"]
    copies = sorted((tmp_path / "copy").glob("*/data/a.csv"))
    assert [path.read_bytes() for path in copies] == [b"1", b"2"]
    code, output = run(state, "tables", "ada", "--to", str(tmp_path / "copy"))
    assert (code, "is there already" in output) == (1, True)


def test_files_that_are_not_as_they_were_sent_are_named(state: StateFolder) -> None:
    code, output = run(state, "tables", "ben")
    assert (code, "not as it was sent" in output) == (0, False)
    (changed,) = (
        path for path in state.submissions_dir.glob("*/files/data/a.csv") if path.read_bytes() == b"b"
    )
    changed.chmod(0o600)
    changed.write_bytes(b"x")
    code, output = run(state, "tables", "ben")
    assert code == 1
    assert "not as it was sent: data/a.csv" in output


def test_who_submitted_nothing_is_named(state: StateFolder) -> None:
    code, output = run(state, "tables", "cleo")
    assert code == 1
    assert "cleo has submitted nothing for tables" in output
