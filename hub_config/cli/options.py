"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from course.state import StateFolder


def _state_folder(_context: click.Context, _option: click.Parameter, value: Path) -> StateFolder:
    return StateFolder(value.resolve())


def state_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--state-dir`; the command gets a `StateFolder` as `state`."""
    return click.option(
        "--state-dir",
        "state",
        type=click.Path(file_okay=False, path_type=Path),
        default=".spoc",
        show_default=True,
        envvar="SPOC_STATE_DIR",
        callback=_state_folder,
        help="Folder that holds everything of this deployment.",
    )(command)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json`; the command gets a bool as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")(
        command
    )


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--student` as `students`, and `--course-dir`."""
    for option in (
        click.option(
            "--course-dir",
            type=click.Path(file_okay=False, path_type=Path),
            help="An ordinary nbgrader course directory, without a running course.",
        ),
        click.option(
            "--student", "students", multiple=True, help="Only this one's; may be given several times."
        ),
    ):
        command = option(command)
    return command


def jobs_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--jobs`; the command gets an int or None as `jobs`."""
    return click.option(
        "--jobs", type=click.IntRange(1), help="Processes that grade; one for each CPU by default."
    )(command)
