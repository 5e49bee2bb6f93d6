"""`spoc grade history`: what automatic scores were before they changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from graders.engine.history import ScoreChange, prepare_history, record_changes
from hub_config.cli import spoc

pytestmark = pytest.mark.quick

CHANGES = (
    ScoreChange("ps1", "ada", "problem", "area", 2.0, 1.5, False, False),
    ScoreChange("ps1", "bob", "problem", "area", 1.0, None, False, True),
    ScoreChange("ps1", "bob", "problem", "gone", 1.0, None, False, False),
)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course directory whose gradebook, of a name of its own, knows two assignments."""
    url = f"sqlite:///{tmp_path / 'marks.db'}"
    (tmp_path / "nbgrader_config.py").write_text(f'c.CourseDirectory.db_url = "{url}"\n')
    with Gradebook(url) as gradebook:
        gradebook.add_assignment("ps1")
        gradebook.add_assignment("ps2")
    engine = create_engine(url)
    prepare_history(engine)
    with Session(engine) as session, session.begin():
        record_changes(session, CHANGES)
    engine.dispose()
    return tmp_path


def history(course: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(spoc, ["grade", "history", "--course-dir", str(course), *arguments])
    return result.exit_code, result.output


def test_each_change_is_a_line_with_what_the_score_was(course: Path) -> None:
    code, output = history(course, "ps1")
    assert code == 0
    assert [line.split("UTC  ")[1] for line in output.splitlines()] == [
        "ada  problem/area  2 → 1.5",
        "bob  problem/area  1 → waits",
        "bob  problem/gone  1 → none",
    ]


def test_only_those_who_are_named_are_listed(course: Path) -> None:
    code, output = history(course, "ps1", "--student", "bob", "--json")
    told = json.loads(output)
    assert (code, told["assignment"]) == (0, "ps1")
    assert [(each["student"], each["before"], each["waits_after"]) for each in told["changes"]] == [
        ("bob", 1.0, True),
        ("bob", 1.0, False),
    ]


def test_an_assignment_without_changes_says_so_and_an_unknown_one_is_an_error(course: Path) -> None:
    assert history(course, "ps2") == (0, "No automatic score has changed since it was first given.\n")
    code, output = history(course, "ps3")
    assert code == 1
    assert "no assignment 'ps3'" in output
    assert "ps1, ps2" in output


def test_asking_makes_no_gradebook(tmp_path: Path) -> None:
    code, output = history(tmp_path, "ps1")
    assert code == 1
    assert "there is no gradebook" in output
    assert list(tmp_path.iterdir()) == []
