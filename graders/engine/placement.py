"""Puts results into a course directory whole: written beside it, safe on disk, then renamed into their place.

`.grading/` in the course directory holds what is on its way; whatever else is in there is left from somebody
who was killed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from uuid import uuid4

from course.errors import CourseError
from graders.engine.owner import as_owner

WORK_FOLDER = ".grading"
_INCOMING = "incoming-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A folder of a course directory as it is to be.

    Args:
        target: Its path in the course directory.
        files: By relative path with `/`.
        permissions: Mode of the files.
        group_writes: Whether its folders belong to a group that may write them.
    """

    target: Path
    files: Mapping[str, bytes]
    permissions: int = 0o644
    group_writes: bool = False


def stage(course_dir: Path, results: Sequence[Result]) -> tuple[Path, ...]:
    """Write results where `put_in_place` finds them; when this returns, they survive a power cut.

    Returns:
        Where each is, relative to the course directory.

    Raises:
        CourseError: The owner of the course directory cannot write them.
    """
    staged = tuple(Path(WORK_FOLDER, f"{_INCOMING}{uuid4().hex}") for _ in results)

    def act(root: Path) -> bytes:
        (root / WORK_FOLDER).mkdir(mode=0o700, exist_ok=True)
        for place, result in zip(staged, results, strict=True):
            _write(root / place, result)
        return b""

    _as_owner(course_dir, act)
    return staged


def put_in_place(course_dir: Path, staged: Sequence[Path], results: Sequence[Result]) -> None:
    """Replace folders of the course directory by what was staged for them.

    Raises:
        CourseError: The owner of the course directory cannot write them.
    """

    def act(root: Path) -> bytes:
        for place, result in zip(staged, results, strict=True):
            _make_folder((root / result.target).parent, group_writes=result.group_writes)
            _swap(root / place, root / result.target)
        return b""

    _as_owner(course_dir, act)


def sweep(course_dir: Path) -> None:
    """Remove what killed processes left; only while nobody else places anything."""

    def act(root: Path) -> bytes:
        for left in (root / WORK_FOLDER).glob(f"{_INCOMING}*"):
            _remove(left)
        return b""

    _as_owner(course_dir, act)


def _as_owner(course_dir: Path, act: object) -> None:
    try:
        as_owner(course_dir, act)  # type: ignore[arg-type]
    except OSError as error:
        raise CourseError(f"The result cannot be written to {course_dir}: {error}") from error


def _write(folder: Path, result: Result) -> None:
    folder.mkdir(mode=0o700)
    for name, content in result.files.items():
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts:
            raise CourseError(f"{name!r} is no name of a file in a submission.")
        path = folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), result.permissions)
    for parent, _, _ in os.walk(folder, topdown=False):
        os.chmod(parent, 0o2770 | 0o755 if result.group_writes else 0o755)
        _sync_folder(Path(parent))


def _make_folder(folder: Path, *, group_writes: bool) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing if group_writes else ():
        # Another trainer may have made it meanwhile, and then sees to it.
        if (made := each.stat()).st_uid == os.geteuid():
            each.chmod(made.st_mode | 0o2770)


def _swap(new: Path, target: Path) -> None:
    old = new.with_name(f"{new.name}.old")
    if os.path.lexists(target):
        target.rename(old)
    # If a power cut undoes this, the next run grades it again.
    new.rename(target)
    _remove(old)


def _remove(folder: Path) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        for parent, _, _ in os.walk(folder):
            os.chmod(parent, 0o700)
        shutil.rmtree(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
