"""`spoc restore`: a deployment from its backup."""

from __future__ import annotations

from pathlib import Path

import click

from course.state import StateFolder
from hub_config.cli.options import state_option


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@state_option
def restore(file: Path, state: StateFolder) -> None:
    """Make the state folder that FILE is a backup of; it must be empty, and no hub may run on it."""
    from hub_config.restore import restore as restore_state

    manifest = restore_state(state, file.absolute())
    click.echo(f"{state.root} is as it was at {manifest.made_at[:19]} UTC: {len(manifest.files)} files.")
    click.echo("Open it with: spoc serve")
