"""`spoc extend`: more time for a learner."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from course.database import Database
from course.due_dates import DueDates
from course.errors import CourseError
from course.grading import GradingQueue
from course.releases import Release, ReleaseStore
from course.roster import Roster
from course.schedule import DUE_TIME
from course.state import StateFolder
from course.submissions import SubmissionStore
from hub_config.cli.deployment import existing_database
from hub_config.cli.options import json_option, state_option
from hub_config.settings import read_settings


@click.command()
@click.argument("assignment")
@click.argument("learners", metavar="[NAME...]", nargs=-1)
@click.option("--until", metavar="DAY", help="2026-12-01, or 2026-12-01T12:00: in the course's time zone.")
@click.option("--withdraw", is_flag=True, help="Take extensions back.")
@state_option
@json_option
def extend(
    assignment: str,
    learners: tuple[str, ...],
    until: str | None,
    withdraw: bool,
    state: StateFolder,
    as_json: bool,
) -> None:
    """Let each NAME hand in ASSIGNMENT until a later day without being late.

    A day ends at 23:59. What was handed in meanwhile is graded again, so that its late penalty is right.
    Without names: show who has longer.
    """
    if bool(learners) != (until is not None or withdraw) or (until is not None and withdraw):
        raise click.UsageError("Give names with --until DAY or --withdraw; neither shows who has longer.")
    settings = read_settings(state)
    zone = ZoneInfo(settings.time_zone)
    with existing_database(state) as database:
        release = ReleaseStore(database).get(assignment)
        # Before the first is changed: a mistyped name must not leave half of them with more time.
        names = [Roster(database).get(name).name for name in learners]
        due_dates, regraded = DueDates(database), list[str]()
        moment = None if until is None else _moment(until, zone)
        for name in names:
            before = due_dates.due_at(name, assignment)
            if moment is None:
                due_dates.withdraw(name, assignment)
            else:
                due_dates.extend(name, release, moment, datetime.now(UTC))
            if _was_graded_otherwise(database, state, name, assignment, before):
                regraded.append(name)
        listed = {
            learner: due_at for (learner, of), due_at in due_dates.extensions().items() if of == assignment
        }
    if as_json:
        longer = {learner: due_at.isoformat() for learner, due_at in listed.items()}
        click.echo(json.dumps({"assignment": assignment, "extended": longer, "graded_again": regraded}))
        return
    click.echo(_due(release, zone))
    for learner, due_at in listed.items():
        click.echo(f"  {learner}: {_shown(due_at, zone)}")
    if regraded:
        click.echo(f"Graded again by the running course: {', '.join(regraded)}")


def _was_graded_otherwise(
    database: Database, state: StateFolder, learner: str, assignment: str, before: datetime | None
) -> bool:
    """Have a learner's newest submission graded again if it is late by one of two due dates only."""
    newest = SubmissionStore(database, state.submissions_dir).find_newest(learner, assignment)
    due_at = DueDates(database).due_at(learner, assignment)
    if newest is None or newest.state != "graded" or before is None or due_at is None:
        return False
    if newest.received_at <= min(before, due_at) or before == due_at:
        return False
    GradingQueue(database).grade_again(newest.id)
    return True


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CourseError(f"{text!r} is no day.", "Write it as 2026-12-01 or 2026-12-01T12:00.") from error
    if len(text) <= len("2026-12-01"):
        found = datetime.combine(found.date(), DUE_TIME)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _due(release: Release, zone: ZoneInfo) -> str:
    if release.due_at is None:
        return f"{release.assignment} has no due date."
    return f"{release.assignment} is due {_shown(release.due_at, zone)} ({zone.key}). Longer have:"


def _shown(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
