"""Releases built modules: nbgrader strips the answers, we look for what it left, then learners see them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from course.errors import CourseError, NotFound
from course.manifest import read_course, read_module
from course.quiz import read_quiz
from course.quiz.model import QUIZ_FILE
from course.releases import Release, ReleaseStore
from course.schedule import due_at
from graders.authoring.build import NOTEBOOKS, chosen_modules, replacement
from graders.authoring.generate import generate
from graders.authoring.leaks import leaks

_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Calendar:
    """From when and where due dates count; `time_zone` is an IANA name."""

    cohort_start: date | None
    time_zone: str


def release_modules(
    modules_dir: Path,
    course_dir: Path,
    slugs: Sequence[str],
    releases: ReleaseStore,
    calendar: Calendar,
    *,
    now: datetime,
) -> tuple[Release, ...]:
    """Release modules that are built: `release/<slug>/` without answers, and a row that shows it to learners.

    A second release renews both. What nbgrader's own `generate_assignment` saves in the gradebook is saved.

    Raises:
        CourseError: nbgrader refused, or the release would hold an answer; nothing is released then.
        FileProblems: A manifest or quiz cannot be used.
        NotFound: The course has no such module, or it is not built.
    """
    course = read_course(modules_dir)
    chosen = chosen_modules(course, slugs)
    for slug in chosen:
        if not (course_dir / "source" / slug).is_dir():
            raise NotFound(f"The module {slug!r} is not built.", f"Run: spoc module build {slug}")
        _refuse_links(course_dir / "source" / slug)
    with TemporaryDirectory(prefix=".release-", dir=course_dir) as scratch:
        generate(course_dir, course.id, Path(scratch), chosen)
        _keep_owner(course_dir)
        for slug in chosen:
            _refuse_leaks(modules_dir / slug, course_dir / "source" / slug, Path(scratch) / slug)
        for slug in chosen:
            with replacement(course_dir / "release" / slug) as folder:
                shutil.copytree(Path(scratch) / slug, folder, dirs_exist_ok=True)
    return tuple(_show(modules_dir / slug, releases, calendar, now) for slug in chosen)


def _refuse_links(source_dir: Path) -> None:
    """Trainers can write here; what they link to is not theirs to give to learners."""
    for path in (source_dir, *source_dir.rglob("*")):
        if path.is_symlink():
            raise CourseError(f"Nothing is released: {path} is a link.", "Put the file itself there.")


def _refuse_leaks(module_dir: Path, source_dir: Path, release_dir: Path) -> None:
    found = list(leaks(source_dir, release_dir, read_quiz(module_dir / QUIZ_FILE)))
    if found:
        shown = "".join(f"\n  - {leak}" for leak in found[:_MOST_SHOWN])
        raise CourseError(
            f"Nothing is released: {module_dir.name} would give away {len(found)} answers.{shown}",
            "Take them out of what learners see, build again, then release.",
        )


def _show(module_dir: Path, releases: ReleaseStore, calendar: Calendar, now: datetime) -> Release:
    manifest = read_module(module_dir)
    return releases.release(
        manifest.slug,
        title=manifest.title,
        notebooks=NOTEBOOKS,
        due_at=due_at(manifest, calendar.cohort_start, calendar.time_zone),
        now=now,
    )


def _keep_owner(course_dir: Path) -> None:
    """A gradebook made by root must stay the trainers', whose directory this is."""
    gradebook = course_dir / "gradebook.db"
    if os.geteuid() == 0 and gradebook.exists():
        owner = course_dir.stat()
        os.chown(gradebook, owner.st_uid, owner.st_gid, follow_symlinks=False)
