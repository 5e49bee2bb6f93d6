"""`spoc demo`: the sample course with a demo cohort."""

from __future__ import annotations

import click
from rich import box
from rich.console import Console
from rich.table import Table

from course.state import StateFolder
from hub_config.cli.options import state_option

# A terminal wraps a long link and keeps it whole for copying; rich would cut it.
WIDER_THAN_ANY_LINK = 2000


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8000,
    show_default=True,
    help="TCP port on loopback; the next free one if it is taken.",
)
@state_option
def demo(port: int, state: StateFolder) -> None:
    """Run the sample course with a trainer and three learners until Ctrl-C.

    What they do is kept: the next start finds it.
    """
    from hub_config.demo import entrances, prepare_demo
    from hub_config.foreground import run_until_told
    from hub_config.hub_process import log_path, refuse_a_second

    refuse_a_second(state)
    click.echo("Preparing the course ...", err=True)
    settings = prepare_demo(state, port)
    if settings.port != port:
        click.echo(f"Port {port} is taken; using {settings.port}.", err=True)

    def announce() -> None:
        table = Table("person", "role", "how to get in", box=box.SIMPLE)
        for entrance in entrances(state, settings.url):
            member = entrance.member
            by_password = f"{settings.url}  user name {member.name}, the password you set"
            table.add_row(member.display_name, member.role, entrance.link or by_password)
        Console(width=WIDER_THAN_ANY_LINK).print(table)
        click.echo(
            "A link works once and asks for a password. Open each person in a browser profile of its own,"
        )
        click.echo("or in a private window: one browser is one person.")
        click.echo(f"State {state.root}, log {log_path(state)}. Ctrl-C stops everything.")

    run_until_told(state, settings, announce)
