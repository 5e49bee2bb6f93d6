"""One lock for each submission, so that two commands at once leave what they would leave one after the other.

All locks are bytes of one file. The system frees them when their process ends, however it ends, and a process
forked from it does not have them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from course.errors import CourseError
from graders.engine.owner import as_owner
from graders.engine.placement import WORK_FOLDER, sweep

_FILE = "locks"
_PRESENCE = 0
"""The byte that everybody who places results shares."""


class SubmissionLocks:
    """The locks of one course directory, for one process: to be used by one thread.

    Who enters while nobody else is there removes what killed processes left.
    """

    def __init__(self, course_dir: Path) -> None:
        self._course_dir = course_dir

    def __enter__(self) -> Self:
        as_owner(self._course_dir, _make_file)
        path = self._course_dir / WORK_FOLDER / _FILE
        self._file = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            os.close(self._file)
            raise CourseError(f"{path} is no file.", "Remove it.")
        if self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB, _PRESENCE):
            sweep(self._course_dir)
        fcntl.lockf(self._file, fcntl.LOCK_SH, 1, _PRESENCE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def take(self, assignment: str, student: str) -> bool:
        """Take the lock of a submission; return False if another process has it."""
        return self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB, _byte(assignment, student))

    def give(self, assignment: str, student: str) -> None:
        """Give the lock of a submission back."""
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _byte(assignment, student))

    def _lock(self, operation: int, byte: int) -> bool:
        try:
            fcntl.lockf(self._file, operation, 1, byte)
        except (BlockingIOError, PermissionError):
            return False
        return True


def _make_file(root: Path) -> bytes:
    (root / WORK_FOLDER).mkdir(mode=0o700, exist_ok=True)
    (root / WORK_FOLDER / _FILE).touch(mode=0o600)
    return b""


def _byte(assignment: str, student: str) -> int:
    digest = hashlib.sha256(f"{len(assignment)} {assignment} {student}".encode()).digest()
    return 1 + int.from_bytes(digest[:7])
