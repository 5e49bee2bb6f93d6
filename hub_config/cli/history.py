"""What automatic scores were before they changed, on a terminal."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from course.manifest import read_course
from course.state import StateFolder
from graders.engine.config import course_directory, read_config
from graders.engine.course import told_as_faults_of_the_course
from graders.engine.history import ScoreChange
from graders.gradebook import read_changes
from graders.grading_course import GradingCourse
from hub_config.cli.deployment import existing_database
from hub_config.settings import read_settings


def show_history(
    course_dir: Path | None,
    state: StateFolder,
    assignment: str,
    students: Collection[str],
    *,
    as_json: bool,
) -> None:
    """Show the changes of scores in the gradebook of a course directory, or else of a deployment."""
    changes = read_changes(_gradebook_url(course_dir, state), assignment, students)
    if as_json:
        listed = [{"changed_at": moment.isoformat(), **asdict(change)} for moment, change in changes]
        click.echo(json.dumps({"assignment": assignment, "changes": listed}))
        return
    for moment, change in changes:
        click.echo(_line(moment, change))
    if not changes:
        click.echo("No automatic score has changed since it was first given.")


def _gradebook_url(course_dir: Path | None, state: StateFolder) -> str:
    if course_dir is not None:
        with told_as_faults_of_the_course():
            return str(course_directory(course_dir, read_config(course_dir)).db_url)
    with existing_database(state):
        course = read_course(read_settings(state).modules_dir)
    return GradingCourse(state.course_dir, course.id).gradebook_url


def _line(moment: datetime, change: ScoreChange) -> str:
    before = _score(change.before, waits=change.waited_before)
    after = _score(change.after, waits=change.waits_after)
    place = f"{change.notebook}/{change.cell}"
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC  {change.student}  {place}  {before} → {after}"


def _score(score: float | None, *, waits: bool) -> str:
    if score is None:
        return "waits" if waits else "none"
    return f"{score:g}{' (waits)' if waits else ''}"
