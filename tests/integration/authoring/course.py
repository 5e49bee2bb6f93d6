"""What authors do with a course: edit it, lint it, run its commands."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from click.testing import CliRunner, Result

from graders.authoring.lint import lint_course
from graders.authoring.publication import Calendar
from hub_config.cli import spoc

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

CALENDAR = Calendar(date(2026, 11, 23), "Europe/Paris")

SLUG = "first-steps"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def found(modules: Path) -> list[str]:
    return [f"{finding.path.name} {finding.code} {finding.message}" for finding in lint_course(modules)]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(spoc, ["module", *arguments], catch_exceptions=False)


def nbgrader(course_dir: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course_dir,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
