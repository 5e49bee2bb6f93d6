"""A member's assignment folder as the body of a submission."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

from course.errors import CourseError

_CHUNK_BYTES = 256 * 1024
_SKIPPED_FOLDERS = frozenset({"__pycache__", "feedback"})


def files_of(folder: Path) -> tuple[Path, ...]:
    """Return the regular files of an assignment, by name.

    Left out: hidden files and folders (checkpoints), `__pycache__`, `feedback`, and every link, since what it
    points to is not part of the work.
    """
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _SKIPPED_FOLDERS]
        paths = (Path(parent, name) for name in names if not name.startswith("."))
        found += [path for path in paths if stat.S_ISREG(path.lstat().st_mode)]
    return tuple(sorted(found))


def packed(folder: Path) -> Iterator[bytes]:
    """Yield an uncompressed tar of `files_of(folder)`, piece by piece.

    Raises:
        CourseError: A file changed or vanished while it was read.
    """
    for path in files_of(folder):
        yield from _entry(path, str(path.relative_to(folder)))
    yield tarfile.NUL * (2 * tarfile.BLOCKSIZE)


def _entry(path: Path, name: str) -> Iterator[bytes]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise CourseError(f"{name} cannot be read: {error.strerror}.") from error
    with open(descriptor, "rb") as file:
        entry = tarfile.TarInfo(name)
        entry.size = os.fstat(descriptor).st_size
        yield entry.tobuf(tarfile.PAX_FORMAT)
        left = entry.size
        while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk
        if left:
            raise CourseError(f"{name} was being written.", "Wait until it is saved, then submit again.")
        yield tarfile.NUL * (-entry.size % tarfile.BLOCKSIZE)
