"""`spoc module`: from a skill to notebooks that learners can open."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from course.database import Database
from course.releases import ReleaseStore
from course.schema import write_schemas
from course.state import StateFolder
from hub_config.cli.options import json_option, state_option
from hub_config.settings import read_settings

MODULES = click.argument("slugs", metavar="[MODULE...]", nargs=-1)


@click.group()
def module() -> None:
    """Write, check, build and release modules."""


def modules_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--modules-dir`; the command gets a Path or None as `modules_dir`."""
    return click.option(
        "--modules-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder with course.yaml and the modules.  [default: the deployment's]",
    )(command)


@module.command()
@click.argument("slug")
@click.option("--title", default="", help="What learners read.  [default: from SLUG]")
@click.option(
    "--teaches", "skills", multiple=True, metavar="SKILL", help="A skill of skills.yaml; may be repeated."
)
@modules_option
@state_option
def new(slug: str, title: str, skills: tuple[str, ...], modules_dir: Path | None, state: StateFolder) -> None:
    """Make a small complete module.

    It has no findings, and stands in course.yaml as the last one.

    Without --teaches, a skill SLUG is added to skills.yaml. An empty folder becomes a course.
    """
    from graders.authoring.starter import new_module

    folder = new_module(_modules_dir(modules_dir, state), slug, title=title, skills=skills)
    click.echo(f"Made {folder}.\nWrite it, then run: spoc module lint {slug}")


@module.command()
@MODULES
@modules_option
@state_option
@json_option
def lint(slugs: tuple[str, ...], modules_dir: Path | None, state: StateFolder, as_json: bool) -> None:
    """Check modules as learners will meet them.

    Without MODULE, all modules and the course. Runs their notebooks.
    Exits with 0 if there is nothing to fix, else with 1.
    """
    from graders.authoring.lint import lint_course

    findings = lint_course(_modules_dir(modules_dir, state), slugs)
    to_fix = sum(not finding.is_warning for finding in findings)
    if as_json:
        listed = [
            {
                "path": str(each.path),
                "line": each.line,
                "code": each.code,
                "severity": "warning" if each.is_warning else "error",
                "message": each.message,
            }
            for each in findings
        ]
        click.echo(json.dumps({"findings": listed}))
    else:
        for finding in findings:
            click.echo(finding)
        told = f"{to_fix} to fix." if to_fix else "Nothing to fix."
        warnings = len(findings) - to_fix
        click.echo(f"{told} {warnings} to think about." if warnings else told, err=True)
    if to_fix:
        raise SystemExit(1)


@module.command()
@MODULES
@modules_option
@state_option
@json_option
def build(slugs: tuple[str, ...], modules_dir: Path | None, state: StateFolder, as_json: bool) -> None:
    """Make nbgrader notebooks of modules.

    Without MODULE, of all modules of the course.
    """
    from graders.authoring.build import build_course

    state.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folders = build_course(_modules_dir(modules_dir, state), state.course_dir, slugs)
    if as_json:
        click.echo(json.dumps({"built": [{"module": path.name, "path": str(path)} for path in folders]}))
    else:
        for folder in folders:
            click.echo(f"Built {folder}")


@module.command()
@click.argument("slugs", metavar="MODULE...", nargs=-1, required=True)
@modules_option
@state_option
@json_option
def release(slugs: tuple[str, ...], modules_dir: Path | None, state: StateFolder, as_json: bool) -> None:
    """Show built modules to learners.

    Answers are taken out; if one would be left, nothing is released.
    """
    from graders.authoring.publication import Calendar
    from graders.authoring.release import release_modules
    from graders.reports.wording import Wording

    settings = read_settings(state)
    now = datetime.now(UTC)
    state.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(Database(state.database_url)) as database:
        released = release_modules(
            _modules_dir(modules_dir, state),
            state,
            slugs,
            ReleaseStore(database),
            Calendar(settings.cohort_start, settings.time_zone),
            now=now,
        )
    if as_json:
        listed = [
            {"module": each.assignment, "due_at": each.due_at and each.due_at.isoformat()}
            for each in released
        ]
        click.echo(json.dumps({"released": listed}))
    else:
        wording = Wording("en", settings.time_zone, now)
        for each in released:
            due = f", due {wording.moment(each.due_at)} ({settings.time_zone})" if each.due_at else ""
            click.echo(f"Released {each.assignment}{due}")


@module.command()
@modules_option
@state_option
def schema(modules_dir: Path | None, state: StateFolder) -> None:
    """Write JSON Schemas for editors.

    They go into .schemas, in the folder of the modules.
    """
    for path in write_schemas(_modules_dir(modules_dir, state) / ".schemas"):
        click.echo(f"Wrote {path}")


def _modules_dir(chosen: Path | None, state: StateFolder) -> Path:
    return (chosen or read_settings(state).modules_dir).resolve()
