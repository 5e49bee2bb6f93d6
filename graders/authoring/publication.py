"""Shows learners what is generated: the one way from the course directory into `released/`.

Members' servers see `released/` alone. Trainers can write the course directory, and formgrader's *Generate*
does; so what learners get is a copy that was looked through after it was made.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat

from course.errors import CourseError
from course.manifest import read_module
from course.quiz import read_quiz
from course.quiz.model import QUIZ_FILE
from course.releases import Release, ReleaseStore
from course.schedule import due_at
from course.state import StateFolder
from graders.authoring.build import NOTEBOOKS, WELCOME, replacement
from graders.authoring.forgeable import forgeable_tests
from graders.authoring.leaks import leaks
from graders.referee.strictness import STRICT, is_strict

_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Calendar:
    """From when and where due dates count; `time_zone` is an IANA name."""

    cohort_start: date | None
    time_zone: str


def publish(
    modules_dir: Path,
    state: StateFolder,
    generated: Mapping[str, Path],
    releases: ReleaseStore,
    calendar: Calendar,
    *,
    now: datetime,
) -> tuple[Release, ...]:
    """Show learners the `generated` folders, by slug, and the first page; all of them or nothing.

    Raises:
        CourseError: One holds an answer, a link or something else that is no file; or a test of a strict
            module can be forged.
        FileProblems: A manifest or quiz cannot be used.
    """
    state.released_dir.mkdir(exist_ok=True)
    # Not in `released/`: unless root runs the hub, learners could read it there before it is looked through.
    with _alone(state), TemporaryDirectory(prefix=".release-", dir=state.root) as scratch:
        for slug, folder in generated.items():
            copy = Path(scratch, slug)
            _copy_files(folder, copy)
            _refuse_leaks(modules_dir / slug, state.course_dir / "source" / slug, copy)
            _refuse_forgeable(modules_dir / slug, state.course_dir / "source" / slug)
        for slug in generated:
            with replacement(state.released_dir / slug) as folder:
                shutil.copytree(Path(scratch, slug), folder, dirs_exist_ok=True)
        _publish_welcome(state, Path(scratch))
    return tuple(
        _show(modules_dir / slug, state.released_dir / slug, releases, calendar, now) for slug in generated
    )


@contextmanager
def _alone(state: StateFolder) -> Iterator[None]:
    """Wait until nobody else publishes: of two who renew a folder at once, one would find its place taken."""
    with (state.root / "release.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def refuse_links(folder: Path) -> None:
    """Raise `CourseError` if `folder` is, or holds, anything but files and folders.

    Trainers can write there; what they link to is not theirs to give to learners.
    """
    for path in (folder, *folder.rglob("*")):
        _refuse_unless_plain(path, path.lstat())


def _copy_files(source: Path, target: Path) -> None:
    """Copy what has no dot in front; follow no link, also if one takes a file's place meanwhile."""
    refuse_links(source)
    target.mkdir()
    for parent, folders, names, descriptor in os.fwalk(source, follow_symlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        place = target / Path(parent).relative_to(source)
        for name in folders:
            (place / name).mkdir()
        for name in names:
            if name.startswith("."):
                continue
            _copy_file(Path(parent, name), place / name, descriptor)


def _copy_file(source: Path, target: Path, folder: int | None = None) -> None:
    """Copy one regular file; with `folder`, the name is looked up in that open folder."""
    name = source if folder is None else source.name
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        raise CourseError(f"Nothing is released: {source} cannot be read ({error.strerror}).") from error
    with os.fdopen(descriptor, "rb") as file, target.open("wb") as copy:
        _refuse_unless_plain(source, os.fstat(descriptor))
        shutil.copyfileobj(file, copy)


def _refuse_unless_plain(path: Path, status: os.stat_result) -> None:
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        kind = "a link" if stat.S_ISLNK(status.st_mode) else "no file"
        raise CourseError(f"Nothing is released: {path} is {kind}.", "Put the file itself there.")


def _refuse_forgeable(module_dir: Path, source_dir: Path) -> None:
    """Raise `CourseError` if a strict module's sources, which trainers can change, break its promise."""
    if read_module(module_dir).referee != STRICT:
        return
    for path in sorted(source_dir.glob("*.ipynb")):
        source = nbformat.read(path, as_version=4)
        problems = list(forgeable_tests(source))
        if not is_strict(source):
            problems.append("it does not say `referee: strict`")
        if problems:
            listed = "".join(f"\n  - {problem}" for problem in problems)
            raise CourseError(
                f"Nothing is released: {module_dir.name} is strict, {path} is not.{listed}",
                f"Run: spoc module build {module_dir.name}",
            )


def _refuse_leaks(module_dir: Path, source_dir: Path, release_dir: Path) -> None:
    refuse_links(source_dir)
    found = list(leaks(source_dir, release_dir, read_quiz(module_dir / QUIZ_FILE)))
    if found:
        shown = "".join(f"\n  - {leak}" for leak in found[:_MOST_SHOWN])
        raise CourseError(
            f"Nothing is released: {module_dir.name} would give away {len(found)} answers.{shown}",
            "Take them out of what learners see, build again, then release.",
        )


def _publish_welcome(state: StateFolder, scratch: Path) -> None:
    """Renew learners' first page, if there is one."""
    page = f"{WELCOME}.ipynb"
    built = state.course_dir / "release" / page
    if os.path.lexists(built):
        _copy_file(built, scratch / page)
        (scratch / page).chmod(0o644)
        (scratch / page).replace(state.released_dir / page)


def _show(
    module_dir: Path, folder: Path, releases: ReleaseStore, calendar: Calendar, now: datetime
) -> Release:
    manifest = read_module(module_dir)
    others = sorted(path.stem for path in folder.glob("*.ipynb") if path.stem not in NOTEBOOKS)
    return releases.release(
        manifest.slug,
        title=manifest.title,
        notebooks=[*(name for name in NOTEBOOKS if (folder / f"{name}.ipynb").exists()), *others],
        due_at=due_at(manifest, calendar.cohort_start, calendar.time_zone),
        now=now,
    )
