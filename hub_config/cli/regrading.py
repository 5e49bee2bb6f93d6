"""A regrade on a terminal: who loses, who gains and why, before it is done or after."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.padding import Padding
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
_INDENT = 4
_MAX_MESSAGE = 160

Columns = tuple[str, str, str]
"""A cell, its points before and after, and why."""


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
        console = Console(highlight=False)
        show_regrade(done, console if console.is_terminal else Console(highlight=False, width=_WIDTH))
    return done.exit_code


def show_regrade(regrade: Regrade, console: Console) -> None:
    """Show which tests changed, then who has other points and why, then who has not."""
    for change in changed_tests(regrade):
        console.print(Text(f"{change.notebook}/{change.cell}: {reasons_in_words(change)}{_weight(change)}"))
    shown = [(learner, _rows(learner)) for learner in regrade.learners if _is_shown(learner)]
    every = [row for _, rows in shown for row in rows]
    # Half of what is left after the points is for the names of cells, half for the reasons.
    points = max((len(row[1]) for row in every), default=0)
    most = (console.width - _INDENT - points) // 2
    place = min(max((len(row[0]) for row in every), default=0), most)
    for learner, rows in shown:
        console.print(Text(f"{learner.student}  {_total(learner)}", style="bold"))
        console.print(Padding(_grid(rows, place, points), (0, 0, 0, _INDENT), expand=False))
    for line in _closing_lines(regrade):
        console.print(Text(line))


def _grid(rows: Sequence[Columns], place: int, points: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=place, overflow="fold")
    grid.add_column(width=points, no_wrap=True)
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*map(Text, row))
    return grid


def _weight(change: TestChange) -> str:
    before, after = change.max_before, change.max_after
    if before is None or after is None:
        return f", worth {before if after is None else after:g}"
    return f": {before:g} → {after:g}" if before != after else ""


def _is_shown(learner: LearnerOutcome) -> bool:
    return learner.verdict in ("loses", "gains", "new") or bool(_rows(learner))


def _rows(learner: LearnerOutcome) -> list[Columns]:
    if learner.verdict == "new":
        return []
    return [_row(cell) for cell in learner.cells if _points(cell.before) != _points(cell.after)]


def _row(cell: CellOutcome) -> Columns:
    reason = why(cell)
    if len(reason) > _MAX_MESSAGE:
        reason = f"{reason[: _MAX_MESSAGE - 1]}…"
    return f"{cell.notebook}/{cell.cell}", f"{_points(cell.before)} → {_points(cell.after)}", reason


def _total(learner: LearnerOutcome) -> str:
    after = f"{learner.after:g} of {learner.max_after:g}"
    if learner.before is None:
        return f"{after} (graded for the first time)"
    difference = f"{learner.difference:+g}" if learner.difference else "±0"
    return f"{learner.before:g} of {learner.max_before:g} → {after} ({difference})"


def _points(points: Points | None) -> str:
    if points is None:
        return "–"
    if points.counted is None:
        return "waits"
    return f"{points.counted:g}{' (waits)' if points.waits else ''}"


def _closing_lines(regrade: Regrade) -> Iterator[str]:
    stay = [each.student for each in regrade.learners if each.verdict == "stays" and not _is_shown(each)]
    if stay:
        yield f"As before: {', '.join(stay)}"
    for learner in regrade.learners:
        if learner.problem:
            yield f"Not graded: {learner.student}: {learner.problem}"
    if regrade.feedback_renewed:
        yield f"New feedback: {', '.join(regrade.feedback_renewed)}"
    counts = verdicts(regrade)
    told = [f"{counts.get('loses', 0)} lose", f"{counts.get('gains', 0)} gain"]
    told += [f"{counts.get('stays', 0)} keep their total"]
    told += [f"{counts['new']} are graded for the first time"] if "new" in counts else []
    yield f"{', '.join(told)}, {counts.get('failed', 0)} could not be graded."
    if regrade.is_rehearsal:
        yield "Nothing was changed. Leave --dry-run away to do it."
