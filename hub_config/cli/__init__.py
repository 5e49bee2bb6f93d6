"""`spoc`: one command for authors, trainers and operators.

Exit codes: 0 all is well · 1 something is to be fixed, the text says what · 2 wrong usage · 130 interrupted.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NoReturn

import click

from course.errors import CourseError

INTERRUPTED = 130

# A command's file is imported only when it is used: `spoc --help` must not wait for Jupyter.
FILES = {
    name: f"hub_config.cli.{name}"
    for name in (
        "module",
        "cohort",
        "serve",
        "demo",
        "grade",
        "report",
        "submissions",
        "extend",
        "backup",
        "restore",
        "doctor",
    )
}
SUMMARIES = {
    "module new": "Make a small complete module.",
    "module lint": "Check modules as learners will meet them.",
    "module build": "Make nbgrader notebooks of modules.",
    "module release": "Show built modules to learners.",
    "module schema": "Write JSON Schemas for editors.",
    "cohort import": "Add and update members from a CSV file.",
    "cohort invite": "Print a link for each member, good once.",
    "cohort revoke": "Make links that were not used yet void.",
    "cohort list": "Show members: role, joined or not, last seen.",
    "cohort remove": "End memberships at once; files and marks are kept.",
    "serve": "Run the hub with this course.",
    "demo": "Run the sample course with a demo cohort.",
    "grade run": "Grade what was submitted for an assignment again.",
    "grade regrade": "Grade by the tests that the source has now.",
    "grade history": "Show what automatic scores were before they changed.",
    "grade status": "Show where the newest submission of everybody stands.",
    "submissions": "Show all that a learner handed in, and copy it.",
    "extend": "Give learners more time for an assignment.",
    "report cohort": "Write who is where, who needs you, and what was hard.",
    "backup": "Keep everything of this deployment in one file.",
    "restore": "Make a state folder from its backup.",
    "doctor": "Check this machine and deployment, and say what to do.",
}


class _Spoc(click.Group):
    """Shows a `CourseError` as its text, and loads a command's file on first use."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(FILES)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        return getattr(import_module(FILES[name]), name) if name in FILES else None

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))

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
