"""Files that one side makes and the other reads: the working folder and `/tmp` of both, kept alike.

A test and the code that it tests run each in an own file system. With each message goes what has changed
since the last one: regular files only, with bounds. The instructor's files are changed by nobody else.
"""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

MAX_FILES = 2000
MAX_BYTES = 8 << 20
"""Of all files that cross with one message, where they take a third more."""
MAX_DEPTH = 12

_SETTINGS = frozenset({"matplotlibrc"})
"""Files that a library looks for in the working folder, and evaluates."""

State = tuple[int, int, int]
"""Inode, size, time of change; a folder has none of the latter two."""


class Folder:
    """The files of this side.

    Args:
        roots: The folders that are kept alike.
        kept: Paths that neither side sends.
    """

    def __init__(self, roots: Iterable[str] = (), kept: Iterable[str] = ()) -> None:
        self._roots = tuple(map(Path, roots))
        self._kept = frozenset(kept)
        self._known: dict[str, State] = {}
        self._received: set[Path] = set()

    def files(self) -> list[str]:
        """Return the paths of all that is there."""
        return [path for path, _ in self._states()]

    def discard(self) -> None:
        """Remove what came from the other side."""
        for path in sorted(self._received, key=lambda path: len(str(path)), reverse=True):
            _remove(path)

    def note(self) -> None:
        """Take the files as they are for known to the other side."""
        self._known = dict(self._states())

    def changes(self) -> dict[str, Any]:
        """Return what is new since the last call (content by path, None for a folder), and what has gone."""
        states = dict(self._states())
        before, self._known = self._known, states
        made: dict[str, str | None] = {}
        left = MAX_BYTES
        for path, state in states.items():
            if before.get(path) == state or path in self._kept:
                continue
            if state[1] < 0:
                made[path] = None
            elif (content := _content(path, left)) is not None:
                left -= len(content)
                made[path] = base64.b64encode(content).decode("ascii")
        gone = [path for path in before if path not in states and path not in self._kept]
        return {"made": made, "gone": gone} if made or gone else {}

    def apply(self, changes: Any) -> None:
        """Do to this side's files what was done to the other's.

        Raises:
            ValueError: A path leads elsewhere, or is no path.
        """
        if not changes:
            return
        for path in sorted(changes.get("gone", ()), key=len, reverse=True):
            _remove(self._checked(path))
        for text in sorted(changes.get("made", {}), key=len):
            path = self._checked(text)
            if not path.exists():
                self._received.add(path)
            self._make(path, changes["made"][text])
        self.note()

    def _make(self, path: Path, content: object) -> None:
        if content is None:
            path.mkdir(exist_ok=True)
            return
        if not isinstance(content, str):
            raise ValueError("This is no file's content.")
        # A link that a test made is not followed.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64decode(content, validate=True))

    def _checked(self, text: object) -> Path:
        if not isinstance(text, str) or text in self._kept or "\0" in text:
            raise ValueError("There is no such path.")
        path = Path(text)
        parts = next((path.relative_to(root).parts for root in self._roots if path.is_relative_to(root)), ())
        if (
            not parts
            or any(map(_stays, parts))
            or ".." in path.parts
            or any(parent.is_symlink() for parent in path.parents)
        ):
            raise ValueError("This path leads elsewhere.")
        return path

    def _states(self) -> Iterator[tuple[str, State]]:
        left = MAX_FILES
        for root in self._roots:
            for path, state in _walk(str(root), MAX_DEPTH):
                left -= 1
                if left < 0:
                    return
                yield path, state


def _stays(name: str) -> bool:
    """Return whether a file or folder is its own side's: what is hidden, and settings of libraries."""
    return name.startswith(".") or name in _SETTINGS


def _walk(folder: str, depth: int) -> Iterator[tuple[str, State]]:
    try:
        device, entries = os.stat(folder).st_dev, list(os.scandir(folder))
    except OSError:
        # It has gone meanwhile, or may not be read: nothing is known of it.
        return
    for entry in entries:
        if _stays(entry.name):
            continue
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if status.st_dev != device:
            # Mounted there: an environment that lies in `/tmp` is on both sides, and nobody's work.
            continue
        if stat.S_ISREG(status.st_mode):
            yield entry.path, (status.st_ino, status.st_size, status.st_mtime_ns)
        elif stat.S_ISDIR(status.st_mode) and depth:
            yield entry.path, (status.st_ino, -1, 0)
            yield from _walk(entry.path, depth - 1)


def _content(path: str, most: int) -> bytes | None:
    """Return what is in a file; None for one that cannot be read or is too large, and stays on its side."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(most + 1)
    return content if len(content) <= most else None


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
    except OSError:
        # A folder in which something is left stays.
        return
