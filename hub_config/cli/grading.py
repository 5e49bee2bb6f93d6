"""Grading on a terminal: progress with the time that is left, then the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from graders.engine.batch import Line
from graders.engine.course import Choices, grade_course
from graders.engine.early import EarlyStart
from graders.engine.report import as_document, as_lines

Begin = Callable[[int], None]
Tell = Callable[[Line | None], None]


def grade_and_show(
    course_dir: Path, assignment: str, choices: Choices, early: EarlyStart, *, as_json: bool
) -> int:
    """Grade, tell how far it is if somebody looks, and show the report; return the exit code."""
    try:
        with progress(assignment, is_shown=not as_json) as (begin, tell):
            report = grade_course(course_dir, assignment, choices, begin, tell, early)
    except KeyboardInterrupt:
        click.echo("What is graded is kept; the same command grades the rest.", err=True)
        raise
    click.echo(json.dumps(as_document(report)) if as_json else "\n".join(as_lines(report)))
    return report.exit_code


@contextmanager
def progress(title: str, *, is_shown: bool) -> Iterator[tuple[Begin, Tell]]:
    """Show how far grading is; give what is to be called with the number of submissions, and after each."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    hidden = not (is_shown and console.is_terminal)
    # Drawn as lines come in: a thread that draws would be half there in each process that is forked.
    with Progress(*columns, console=console, auto_refresh=False, disable=hidden) as bar:
        task = bar.add_task(title, total=None)

        def begin(count: int) -> None:
            bar.update(task, total=count, refresh=True)

        def tell(_line: Line | None) -> None:
            bar.advance(task)
            bar.refresh()

        yield begin, tell
