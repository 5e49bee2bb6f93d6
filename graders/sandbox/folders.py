"""Temporary folders that say whose they are: those of a process that was killed can be found and removed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_NAME = re.compile(r"spoc-[a-z]+-(\d+)-")


def folder_prefix(kind: str) -> str:
    """Return how the name of a temporary folder of this process begins; `kind` is one word."""
    return f"spoc-{kind}-{os.getpid()}-"


def make_folder(kind: str) -> Path:
    """Make a temporary folder of this process."""
    return Path(tempfile.mkdtemp(prefix=folder_prefix(kind)))


def remove_folders(pid: int) -> None:
    """Remove the temporary folders of a process that has ended."""
    for owner, folder in _folders():
        if owner == pid:
            shutil.rmtree(folder, ignore_errors=True)


def sweep_folders() -> None:
    """Remove the temporary folders of all processes of this user's that have ended."""
    for owner, folder in _folders():
        if not _is_alive(owner):
            shutil.rmtree(folder, ignore_errors=True)


def _folders() -> Iterator[tuple[int, Path]]:
    """Yield the folders of this user's processes, each with the process; anybody can take such a name."""
    with os.scandir(tempfile.gettempdir()) as found:
        for each in found:
            named = _NAME.match(each.name)
            if named and each.is_dir(follow_symlinks=False):
                try:
                    is_own = each.stat(follow_symlinks=False).st_uid == os.geteuid()
                except FileNotFoundError:
                    continue
                if is_own:
                    yield int(named[1]), Path(each.path)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    # Or more digits than the number of a process has.
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
