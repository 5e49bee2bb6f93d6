"""`spoc grade`: what was submitted, and grading it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from course.errors import Conflict, NotFound
from course.grading import GradingQueue
from course.releases import ReleaseStore
from course.state import StateFolder
from course.submissions import Submission, SubmissionStore
from graders.engine.startup import skip_address_grammar
from hub_config.cli.deployment import existing_database
from hub_config.cli.options import jobs_option, json_option, selection_options, state_option
from hub_config.settings import read_settings

if TYPE_CHECKING:
    from graders.engine.trust import TrustMode


@click.group()
def grade() -> None:
    """Grade what was submitted."""


@grade.command()
@click.argument("assignment")
@selection_options
@jobs_option
@state_option
@click.option(
    "--trust",
    type=click.Choice(("auto", "referee", "kernel")),
    default="auto",
    show_default=True,
    help="Run tests apart from learner code where they can be (auto), always, or never.",
)
@click.option("--notebook", help="Grade only the notebooks of this name or pattern; with --course-dir.")
@click.option("--force", is_flag=True, help="Grade again what is graded.")
@click.option("--scheduler", help="Grade on the workers of the Dask scheduler at this address.")
@click.option("--unsafe-no-sandbox", is_flag=True, help="Run learner code without any wall; results say so.")
@json_option
def run(
    assignment: str,
    students: tuple[str, ...],
    state: StateFolder,
    course_dir: Path | None,
    jobs: int | None,
    trust: TrustMode,
    notebook: str | None,
    force: bool,
    scheduler: str | None,
    unsafe_no_sandbox: bool,
    as_json: bool,
) -> None:
    """Grade the newest submission of everybody for ASSIGNMENT.

    In the course of --state-dir, again: a running course grades them in the background; otherwise this
    command does, and waits. With --course-dir as `nbgrader autograde` does, with its exit code: what is
    graded and has not been submitted again since is left alone.
    """
    if course_dir is not None:
        skip_address_grammar()
        from graders.engine.early import EarlyStart

        with EarlyStart(course_dir, assignment, unsafe_no_sandbox=unsafe_no_sandbox) as early:
            from graders.engine.course import Choices
            from hub_config.cli.grading import grade_and_show

            choices = Choices(
                students=students,
                notebook=notebook,
                jobs=jobs,
                trust=trust,
                force=force,
                scheduler=scheduler,
                unsafe_no_sandbox=unsafe_no_sandbox,
            )
            code = grade_and_show(course_dir, assignment, choices, early, as_json=as_json)
        click.get_current_context().exit(code)
    if notebook is not None:
        raise click.UsageError("--notebook is for --course-dir: a running course grades whole submissions.")
    with existing_database(state) as database:
        ReleaseStore(database).get(assignment)
        store, queue = SubmissionStore(database, state.submissions_dir), GradingQueue(database)
        chosen = [each for each in store.newest(assignment) if not students or each.learner in students]
        if not chosen:
            whose = ", ".join(students) or "Nobody"
            raise NotFound(f"{whose} has submitted nothing for {assignment}.", "Run: spoc grade status")
        for submission in chosen:
            queue.grade_again(submission.id)
        if not as_json:
            click.echo(f"Submissions to grade: {len(chosen)} ...", err=True)
        graded_here = _grade_here(state)
        _show([store.get(each.id) for each in chosen], as_json)
        if not graded_here and not as_json:
            click.echo("The running course grades them now. See how far it is: spoc grade status")


@grade.command()
@click.argument("assignment")
@selection_options
@jobs_option
@state_option
@click.option("--dry-run", is_flag=True, help="Change nothing; show whose points would change, and why.")
@json_option
def regrade(
    assignment: str,
    students: tuple[str, ...],
    state: StateFolder,
    course_dir: Path | None,
    jobs: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Grade ASSIGNMENT again by the tests that its source has now.

    Tests may have been added, changed, taken out or given another weight since learners submitted. Marks,
    comments and extra credit given by hand stay; what each automatic score was before is kept in the
    gradebook. Exits with 1 if a submission could not be graded.
    """
    skip_address_grammar()
    from graders.engine.course import Choices
    from hub_config.cli.regrading import regrade_and_show

    if course_dir is None:
        with existing_database(state) as database:
            ReleaseStore(database).get(assignment)
    choices = Choices(students=students, jobs=jobs)
    code = regrade_and_show(course_dir, state, assignment, choices, is_rehearsal=dry_run, as_json=as_json)
    click.get_current_context().exit(code)


@grade.command()
@click.argument("assignment")
@selection_options
@state_option
@json_option
def history(
    assignment: str, students: tuple[str, ...], state: StateFolder, course_dir: Path | None, as_json: bool
) -> None:
    """Show each change of an automatic score of ASSIGNMENT: when, whose, and what it was before.

    A score changes when newer work is graded or tests change. Marks given by hand are not in it.
    """
    skip_address_grammar()
    from hub_config.cli.history import show_history

    show_history(course_dir, state, assignment, students, as_json=as_json)


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
            f"{each.assignment}  {each.learner}  {each.received_at:%Y-%m-%d %H:%M} UTC  {each.state}{points}"
        )
        if each.problem:
            click.echo(f"    {each.problem}")
    if not submissions:
        click.echo("Nothing is submitted.")
