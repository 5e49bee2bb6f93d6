"""The files of the working folder at one moment: a fork keeps memory as it was, and the disk goes on."""

from __future__ import annotations

from contextlib import suppress
from os import lstat, scandir, unlink
from pathlib import Path

MAX_BYTES = 8 << 20
MAX_FILES = 500
"""Of one moment. What is beyond stays as it is on the disk."""
MAX_DEPTH = 10
FILES = ""
"""Stands among names for all files: they have changed."""


class FolderState:
    """The regular files below a folder as they are now; links and what is larger than the bounds is left out.

    The contents are read each time: a clock of files is too slow for what is written twice within a cell.

    Args:
        folder: To look at.
        earlier: Another state of it, with which unchanged contents are shared.
    """

    def __init__(self, folder: Path, earlier: FolderState | None = None) -> None:
        self._folder = folder
        self.contents: dict[str, bytes] = {}
        """By path."""
        self.beyond: dict[str, tuple[int, int, int]] = {}
        """Of files beyond the bounds inode, size and time of change."""
        self._is_complete = True
        self._bytes_left = MAX_BYTES
        self._read(folder, 0, {} if earlier is None else earlier.contents)

    def is_as(self, other: FolderState) -> bool:
        """Return whether both are known in full and are the same."""
        return (
            self._is_complete
            and other._is_complete
            and self.contents == other.contents
            and self.beyond == other.beyond
        )

    def restore(self) -> None:
        """Make the files what they were, as far as they are known."""
        now = FolderState(self._folder, self)
        if self._is_complete:
            for name in {*now.contents, *now.beyond} - {*self.contents, *self.beyond}:
                with suppress(OSError):
                    unlink(name)
        for name, content in self.contents.items():
            if now.contents.get(name) is not content:
                # Where a folder stands now, or something that may not be written, the test tells.
                with suppress(OSError):
                    path = Path(name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)

    def _read(self, folder: Path | str, depth: int, earlier: dict[str, bytes]) -> None:
        try:
            with scandir(folder) as found:
                entries = list(found)
        except OSError:
            self._is_complete = False
            return
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if depth < MAX_DEPTH:
                    self._read(entry.path, depth + 1, earlier)
                else:
                    self._is_complete = False
            elif entry.is_file(follow_symlinks=False):
                self._keep(entry.path, earlier.get(entry.path))

    def _keep(self, name: str, earlier: bytes | None) -> None:
        try:
            state = lstat(name)
            if state.st_size > self._bytes_left or len(self.contents) >= MAX_FILES:
                self.beyond[name] = (state.st_ino, state.st_size, state.st_mtime_ns)
                return
            content = Path(name).read_bytes()
        except OSError:
            self._is_complete = False
            return
        self._bytes_left -= len(content)
        self.contents[name] = earlier if earlier == content and earlier is not None else content
