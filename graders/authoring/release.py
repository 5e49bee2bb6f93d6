"""Releases built modules: nbgrader strips the answers, we look for what it left, then learners see them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from course.errors import NotFound
from course.manifest import read_course, read_module
from course.releases import Release, ReleaseStore
from course.schedule import due_at
from course.state import StateFolder
from graders.authoring.build import chosen_modules, replacement
from graders.authoring.generate import generate
from graders.authoring.publication import Calendar, publish, refuse_links


def release_modules(
    modules_dir: Path,
    state: StateFolder,
    slugs: Sequence[str],
    releases: ReleaseStore,
    calendar: Calendar,
    *,
    now: datetime,
) -> tuple[Release, ...]:
    """Release built modules: `released/<slug>/` without answers, and a row that shows it to learners.

    A second release renews both. nbgrader's own `release/<slug>/` and gradebook get what its
    `generate_assignment` writes.

    Raises:
        CourseError: nbgrader refused, or the release would hold an answer; nothing is released then.
        FileProblems: A manifest or quiz cannot be used.
        NotFound: The course has no such module, or it is not built.
    """
    course = read_course(modules_dir)
    chosen = chosen_modules(course, slugs)
    course_dir = state.course_dir
    for slug in chosen:
        if not (course_dir / "source" / slug).is_dir():
            raise NotFound(f"The module {slug!r} is not built.", f"Run: spoc module build {slug}")
        refuse_links(course_dir / "source" / slug)
    due = {
        slug: due_at(read_module(modules_dir / slug), calendar.cohort_start, calendar.time_zone)
        for slug in chosen
    }
    with TemporaryDirectory(prefix=".release-", dir=course_dir) as scratch:
        generate(course_dir, course.id, Path(scratch), due)
        _keep_owner(course_dir)
        generated = {slug: Path(scratch, slug) for slug in chosen}
        released = publish(modules_dir, state, generated, releases, calendar, now=now)
        for slug in chosen:
            with replacement(course_dir / "release" / slug) as folder:
                shutil.copytree(generated[slug], folder, dirs_exist_ok=True)
    return released


def release_generated(
    modules_dir: Path,
    state: StateFolder,
    slug: str,
    releases: ReleaseStore,
    calendar: Calendar,
    *,
    now: datetime,
) -> Release:
    """Release one module as it lies in nbgrader's `release/<slug>/`, from where formgrader's button takes it.

    Raises:
        CourseError: It would hold an answer; nothing is released then.
        FileProblems: Its manifest or quiz cannot be used.
        NotFound: The course has no such module, or it is not generated.
    """
    folder = state.course_dir / "release" / slug
    is_generated = slug in read_course(modules_dir).modules and any(folder.glob("*.ipynb"))
    if not is_generated or not (state.course_dir / "source" / slug).is_dir():
        raise NotFound(f"There is no generated assignment {slug!r}.", "Run: spoc module build, then release.")
    (released,) = publish(modules_dir, state, {slug: folder}, releases, calendar, now=now)
    return released


def _keep_owner(course_dir: Path) -> None:
    """A gradebook made by root must stay the trainers', whose directory this is."""
    gradebook = course_dir / "gradebook.db"
    if os.geteuid() == 0 and gradebook.exists():
        owner = course_dir.stat()
        os.chown(gradebook, owner.st_uid, owner.st_gid, follow_symlinks=False)
