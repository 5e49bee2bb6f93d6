"""`spoc extend`: a learner has longer, and what was graded as late is graded again."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from course.database import Database
from course.due_dates import DueDates
from course.grading import GradingQueue
from course.releases import ReleaseStore
from course.roster import Roster
from course.state import StateFolder
from course.submissions import SubmissionStore
from hub_config.cli import spoc
from tests.unit.record.uploads import tar_of

pytestmark = pytest.mark.quick

DUE = datetime(2026, 3, 2, 22, 59, tzinfo=UTC)
LATE = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """Tables are due for everybody, charts never; ada and ben learn."""
    state = StateFolder(tmp_path)
    roster = tmp_path / "roster.csv"
    roster.write_text("username,name,email,role\nada,Ada,,learner\nben,Ben,,learner\n")
    with closing(Database(state.database_url)) as database:
        Roster(database).import_csv(roster)
        releases = ReleaseStore(database)
        releases.release("tables", title="Tables", notebooks=["exercises"], due_at=DUE, now=DUE)
        releases.release("charts", title="Charts", notebooks=["exercises"], due_at=None, now=DUE)
    return state


def run(state: StateFolder, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(spoc, ["extend", *arguments, "--state-dir", str(state.root)])
    return result.exit_code, result.output


def told(state: StateFolder, *arguments: str) -> dict[str, Any]:
    code, output = run(state, *arguments, "--json")
    assert code == 0, output
    answer: dict[str, Any] = json.loads(output)
    return answer


def due_at(state: StateFolder, learner: str, assignment: str = "tables") -> datetime | None:
    with closing(Database(state.database_url)) as database:
        return DueDates(database).due_at(learner, assignment)


def hand_in(state: StateFolder, learner: str, at: datetime, *, graded: bool = True) -> None:
    with closing(Database(state.database_url)) as database:
        store, queue = SubmissionStore(database, state.submissions_dir), GradingQueue(database)
        receipt = store.receive(learner, "tables", tar_of(("exercises.ipynb", b"{}")), at)
        if graded:
            queue.claim(at)
            queue.mark_graded(receipt.submission, points=1, max_points=2, feedback_at=at)


def test_a_day_ends_as_due_dates_do_in_the_time_zone_of_the_course(state: StateFolder) -> None:
    assert told(state, "tables", "ada", "--until", "2026-03-09")["extended"] == {
        "ada": "2026-03-09T22:59:00+00:00"
    }
    assert (due_at(state, "ada"), due_at(state, "ben")) == (datetime(2026, 3, 9, 22, 59, tzinfo=UTC), DUE)
    told(state, "tables", "ada", "--until", "2026-03-08T12:00")
    assert due_at(state, "ada") == datetime(2026, 3, 8, 11, 0, tzinfo=UTC)


def test_what_was_late_is_graded_again_when_that_changes(state: StateFolder) -> None:
    hand_in(state, "ada", LATE)
    hand_in(state, "ben", DUE)
    both = ("tables", "ada", "ben")
    assert told(state, *both, "--until", "2026-03-09")["graded_again"] == ["ada"], "ben was in time"
    hand_in(state, "ada", LATE)
    assert told(state, *both, "--until", "2026-03-09")["graded_again"] == [], "it is graded by that date"
    assert told(state, *both, "--withdraw") == {
        "assignment": "tables",
        "extended": {},
        "graded_again": ["ada"],
    }


def test_who_has_longer_is_shown(state: StateFolder) -> None:
    run(state, "tables", "ada", "--until", "2026-03-09")
    _, output = run(state, "tables")
    assert output == (
        "tables is due 2026-03-02 23:59 (Europe/Paris). Longer have:\n  ada: 2026-03-09 23:59\n"
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("tables", "ada", "zoe", "--until", "2026-03-09"), "'zoe' is not a member"),
        (("tables", "ada", "--until", "soon"), "'soon' is no day"),
        (("tables", "ada", "--until", "2026-03-01"), "is due then or later for everybody"),
        (("charts", "ada", "--until", "2026-03-09"), "no due date"),
        (("joins", "ada", "--until", "2026-03-09"), "no released assignment 'joins'"),
        (("tables", "ada"), "Give names with"),
        (("tables", "--until", "2026-03-09"), "Give names with"),
        (("tables", "ada", "--withdraw", "--until", "2026-03-09"), "Give names with"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    state: StateFolder, arguments: tuple[str, ...], problem: str
) -> None:
    code, output = run(state, *arguments)
    assert code != 0
    assert problem in output
    assert due_at(state, "ada") == DUE


def test_a_later_date_for_everybody_is_not_cut_short_by_an_older_extension(state: StateFolder) -> None:
    run(state, "tables", "ada", "--until", "2026-03-09")
    later = datetime(2026, 4, 1, tzinfo=UTC)
    with closing(Database(state.database_url)) as database:
        ReleaseStore(database).release(
            "tables", title="Tables", notebooks=["exercises"], due_at=later, now=DUE
        )
    assert due_at(state, "ada") == later
