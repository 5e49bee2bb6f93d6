"""`spoc`: one command for authors, trainers and operators.

Exit codes: 0 all is well · 1 something is to be fixed, the text says what · 2 wrong usage · 130 interrupted.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NoReturn

import click

from course.errors import CourseError

INTERRUPTED = 130

# A group's file is imported only when it is used: `spoc --help` must not wait for Jupyter.
COMMANDS = {
    "module": ("hub_config.cli.module", "Write, check, build and release modules."),
    "cohort": ("hub_config.cli.cohort", "Import a roster, invite, list and remove members."),
    "serve": ("hub_config.cli.serve", "Run the hub with this course."),
    "demo": ("hub_config.cli.demo", "Run the sample course with a demo cohort."),
    "grade": ("hub_config.cli.grade", "Grade what was submitted."),
    "report": ("hub_config.cli.report", "Write reports as HTML."),
}


class _Spoc(click.Group):
    """Shows a `CourseError` as its text, and loads a command's file on first use."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _ = COMMANDS[name]
        return getattr(import_module(module), name)

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except CourseError as error:
            click.echo(f"Error: {error}", err=True)
            context.exit(1)
        except KeyboardInterrupt:
            _exit_interrupted(context)
        except click.Abort as abort:
            # click turns Ctrl-C at a prompt into the same error as an answer of "no".
            if isinstance(abort.__context__, KeyboardInterrupt):
                _exit_interrupted(context)
            raise


def _exit_interrupted(context: click.Context) -> NoReturn:
    click.echo("\nInterrupted.", err=True)
    context.exit(INTERRUPTED)


@click.group(cls=_Spoc, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="jupyter-spoc")
def spoc() -> None:
    """Author, run and grade a small private online course."""
