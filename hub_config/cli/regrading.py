"""A regrade on a terminal: who loses, who gains and why, before it is done or after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from course.state import StateFolder
from graders.engine.course import Choices
from graders.engine.outcome import CellOutcome, LearnerOutcome, Regrade
from graders.engine.regrade import regrade_course
from graders.engine.regrade_report import (
    TestChange,
    as_document,
    changed_tests,
    reasons_in_words,
    verdicts,
    why,
)
from graders.engine.standing import Points
from graders.regrading import Deployment, regrade_deployment
from hub_config.cli.grading import progress
from hub_config.settings import read_settings

_WIDTH = 150
"""Characters in a line where no terminal says how many it has."""


def regrade_and_show(
    course_dir: Path | None,
    state: StateFolder,
    assignment: str,
    choices: Choices,
    *,
    is_rehearsal: bool,
    as_json: bool,
) -> int:
    """Grade again by the newest tests and show whom that changes; return the exit code."""
    with progress(assignment, is_shown=not as_json) as (begin, tell):
        if course_dir is not None:
            done = regrade_course(
                course_dir, assignment, choices, is_rehearsal=is_rehearsal, begin=begin, tell=tell
            )
        else:
            settings = read_settings(state)
            deployment = Deployment(state, settings.modules_dir, settings.language)
            done = regrade_deployment(
                deployment, assignment, choices, is_rehearsal=is_rehearsal, begin=begin, tell=tell
            )
    if as_json:
        click.echo(json.dumps(as_document(done)))
    else:
        _show(done)
    return done.exit_code


def _show(regrade: Regrade) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    for change in changed_tests(regrade):
        console.print(Text(f"{change.notebook}/{change.cell}: {reasons_in_words(change)}{_weight(change)}"))
    table = _table(regrade)
    if table.row_count:
        console.print(table)
    for line in _closing_lines(regrade):
        console.print(Text(line))


def _weight(change: TestChange) -> str:
    before, after = change.max_before, change.max_after
    if before is None or after is None:
        return f", worth {before if after is None else after:g}"
    return f": {before:g} → {after:g}" if before != after else ""


def _table(regrade: Regrade) -> Table:
    table = Table("Learner", "Total", "Cell", "Points", "Why")
    for learner in regrade.learners:
        cells = [cell for cell in learner.cells if _points(cell.before) != _points(cell.after)]
        if learner.verdict == "new":
            cells = []
        if not cells and learner.verdict in ("stays", "failed"):
            continue
        total = _total(learner)
        rows: list[CellOutcome | None] = [*cells] or [None]
        for cell in rows:
            table.add_row(*map(Text, (learner.student, total, *_columns(cell))))
            total = ""
    return table


def _columns(cell: CellOutcome | None) -> tuple[str, str, str]:
    if cell is None:
        return "", "", ""
    points = f"{_points(cell.before)} → {_points(cell.after)}"
    return f"{cell.notebook}/{cell.cell}", points, why(cell)


def _total(learner: LearnerOutcome) -> str:
    after = f"{learner.after:g} of {learner.max_after:g}"
    if learner.before is None:
        return f"{after} (graded for the first time)"
    return f"{learner.before:g} of {learner.max_before:g} → {after} ({learner.difference:+g})"


def _points(points: Points | None) -> str:
    if points is None:
        return "–"
    if points.counted is None:
        return "waits"
    return f"{points.counted:g}{' (waits)' if points.waits else ''}"


def _closing_lines(regrade: Regrade) -> Iterator[str]:
    stay = [each.student for each in regrade.learners if each.verdict == "stays"]
    if stay:
        yield f"As before: {', '.join(stay)}"
    for learner in regrade.learners:
        if learner.problem:
            yield f"Not graded: {learner.student}: {learner.problem}"
    if regrade.feedback_renewed:
        yield f"New feedback: {', '.join(regrade.feedback_renewed)}"
    counts = verdicts(regrade)
    yield (
        f"{counts.get('loses', 0)} lose, {counts.get('gains', 0)} gain, {counts.get('stays', 0)} stay,"
        f" {counts.get('failed', 0)} could not be graded."
    )
    if regrade.is_rehearsal:
        yield "Nothing was changed. Leave --dry-run away to do it."
