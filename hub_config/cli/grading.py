"""Grading on a terminal: progress with the time that is left, then the report."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from graders.engine.batch import Line
from graders.engine.course import Choices, grade_course
from graders.engine.report import as_document, as_lines


def grade_and_show(course_dir: Path, assignment: str, choices: Choices, as_json: bool) -> int:
    """Grade, tell how far it is if somebody looks, and show the report; return the exit code."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Drawn as lines come in: a thread that draws would be half there in each process that is forked.
    progress = Progress(
        *columns, console=console, auto_refresh=False, disable=as_json or not console.is_terminal
    )
    with progress:
        task = progress.add_task(assignment, total=None)

        def begin(count: int) -> None:
            progress.update(task, total=count, refresh=True)

        def tell(_line: Line | None) -> None:
            progress.advance(task)
            progress.refresh()

        report = grade_course(course_dir, assignment, choices, begin, tell)
    if as_json:
        click.echo(json.dumps(as_document(report)))
    else:
        click.echo("\n".join(as_lines(report)))
    return report.exit_code
