"""`spoc serve`: the hub in the foreground."""

from __future__ import annotations

import click

from course.state import StateFolder
from hub_config.cli.options import state_option
from hub_config.settings import read_settings


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="TCP port on loopback; kept in settings.yaml.")
@state_option
def serve(port: int | None, state: StateFolder) -> None:
    """Run the hub with this course until Ctrl-C, which stops every member's server too.

    Exits with 1 when it cannot start or ends by itself.
    """
    from course.manifest import read_course
    from hub_config.foreground import run_until_told
    from hub_config.hub_process import log_path

    settings = read_settings(state)
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    title = settings.cohort_title or read_course(settings.modules_dir).title

    def announce() -> None:
        click.echo(f"{title} is open at {settings.url}")
        click.echo(f"  state  {state.root}")
        click.echo(f"  log    {log_path(state)}; each member's in {state.hub_dir / 'servers'}")
        if not any(state.released_dir.glob("*/")):
            click.echo("  No module is released yet: spoc module build, then spoc module release MODULE")
        click.echo("Ctrl-C stops it and every member's server.")

    run_until_told(state, settings, announce)
