"""`spoc grade`: what was submitted, and grading it again."""

from __future__ import annotations

import json

import click

from course.errors import Conflict, NotFound
from course.grading import GradingQueue
from course.releases import ReleaseStore
from course.state import StateFolder
from course.submissions import Submission, SubmissionStore
from hub_config.cli.deployment import existing_database
from hub_config.cli.options import json_option, state_option
from hub_config.settings import read_settings


@click.group()
def grade() -> None:
    """Grade what was submitted."""


@grade.command()
@click.argument("assignment")
@click.option("--student", "learner", help="Only this member's; by default everybody's.")
@state_option
@json_option
def run(assignment: str, learner: str | None, state: StateFolder, as_json: bool) -> None:
    """Grade the newest submission of everybody for ASSIGNMENT again.

    A running course grades them in the background; otherwise this command does, and waits.
    """
    with existing_database(state) as database:
        ReleaseStore(database).get(assignment)
        store, queue = SubmissionStore(database, state.submissions_dir), GradingQueue(database)
        chosen = [each for each in store.newest(assignment) if learner in (None, each.learner)]
        if not chosen:
            whose = learner or "Nobody"
            raise NotFound(f"{whose} has submitted nothing for {assignment}.", "Run: spoc grade status")
        for submission in chosen:
            queue.grade_again(submission.id)
        graded_here = _grade_here(state)
        _show([store.get(each.id) for each in chosen], as_json)
        if not graded_here and not as_json:
            click.echo("The running course grades them now. See how far it is: spoc grade status")


@grade.command()
@click.argument("assignment", required=False)
@state_option
@json_option
def status(assignment: str | None, state: StateFolder, as_json: bool) -> None:
    """Show where the newest submission of everybody stands."""
    with existing_database(state) as database:
        _show(SubmissionStore(database, state.submissions_dir).newest(assignment), as_json)


def _grade_here(state: StateFolder) -> bool:
    """Grade everything that waits; return False if a worker does so already."""
    # Importing nbgrader takes two seconds: not for `spoc grade status`.
    from graders.worker import Grader

    settings = read_settings(state)
    grader = Grader(state, settings.modules_dir, settings.language)
    try:
        with grader.alone():
            grader.work_off()
    except Conflict:
        return False
    finally:
        grader.close()
    return True


def _show(submissions: list[Submission] | tuple[Submission, ...], as_json: bool) -> None:
    if as_json:
        listed = [each.status().model_dump(mode="json") for each in submissions]
        click.echo(json.dumps({"submissions": listed}))
        return
    for each in submissions:
        points = "" if each.points is None else f"  {each.points:g} of {each.max_points:g} points"
        click.echo(
            f"{each.assignment}  {each.learner}  {each.received_at:%Y-%m-%d %H:%M}  {each.state}{points}"
        )
        if each.problem:
            click.echo(f"    {each.problem}")
    if not submissions:
        click.echo("Nothing is submitted.")
