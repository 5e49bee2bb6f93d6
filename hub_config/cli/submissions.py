"""`spoc submissions`: everything that a learner handed in for an assignment."""

from __future__ import annotations

import json
import shutil
from datetime import UTC
from pathlib import Path

import click

from course.errors import Conflict, NotFound
from course.state import StateFolder
from course.submissions import Submission, SubmissionStore
from hub_config.cli.deployment import existing_database
from hub_config.cli.options import json_option, state_option


@click.command()
@click.argument("assignment")
@click.argument("learner")
@click.option(
    "--to",
    "target",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also copy the files of each there, into a folder named by its time.",
)
@state_option
@json_option
def submissions(
    assignment: str, learner: str, target: Path | None, state: StateFolder, as_json: bool
) -> None:
    """Show what LEARNER handed in for ASSIGNMENT, newest first, and whether it is as it was sent.

    The files of each are compared with its receipt. Exits with 1 if some are not as they were sent.
    """
    with existing_database(state) as database:
        store = SubmissionStore(database, state.submissions_dir)
        found = store.of(learner, assignment)
        if not found:
            raise NotFound(f"{learner} has submitted nothing for {assignment}.", "Run: spoc grade status")
        differing = {each.id: store.differences(each.id) for each in found}
        if target is not None:
            for each in found:
                _copy(store.files_dir(each.id), target / _stamp(each))
    if as_json:
        listed = [
            {
                **each.status().model_dump(mode="json"),
                "sha256": each.sha256,
                "differing": differing[each.id],
            }
            for each in found
        ]
        click.echo(json.dumps({"submissions": listed}))
    else:
        for each in found:
            click.echo(f"{_stamp(each)}  {each.state}  receipt {each.sha256[:12]}  {each.id}")
            for path in differing[each.id]:
                click.echo(f"    not as it was sent: {path}")
    click.get_current_context().exit(1 if any(differing.values()) else 0)


def _stamp(submission: Submission) -> str:
    return f"{submission.received_at.astimezone(UTC):%Y-%m-%dT%H-%M-%S.%fZ}"


def _copy(files: Path, folder: Path) -> None:
    if folder.exists():
        raise Conflict(f"{folder} is there already.", "Name a folder that is empty or new.")
    shutil.copytree(files, folder, symlinks=True)
