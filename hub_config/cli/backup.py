"""`spoc backup`: everything of a deployment in one file."""

from __future__ import annotations

import json
from pathlib import Path

import click

from course.state import StateFolder
from hub_config.cli.options import json_option, state_option
from hub_config.settings import SAMPLE_MODULES_DIR, read_settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@state_option
def backup(file: Path, as_json: bool, state: StateFolder) -> None:
    """Keep everything of this deployment in FILE (.tar.gz), also while the hub runs.

    It has secrets and personal data: keep it where nobody else reads.
    """
    from hub_config.backup import back_up

    made = back_up(state, file.absolute())
    if as_json:
        click.echo(
            json.dumps(
                {
                    "file": str(made.path),
                    "files": made.files,
                    "size_bytes": made.size_bytes,
                    "left_out": made.left_out,
                }
            )
        )
        return
    click.echo(f"{made.path}: {made.files} files, {made.size_bytes / 2**20:.1f} MB")
    for remark in made.left_out:
        click.echo(f"  left out: {remark}")
    modules_dir = read_settings(state).modules_dir
    if modules_dir != SAMPLE_MODULES_DIR:
        click.echo(f"Your course's sources are not part of it: {modules_dir}")
