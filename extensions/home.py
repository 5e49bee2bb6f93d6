"""Fills a member's home with what the course has released: runs inside the sandbox when the server starts."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


def fill_home(release_dir: Path, home: Path) -> tuple[Path, ...]:
    """Copy every released file that `home` lacks, at the same place; what is there stays as it is.

    Returns:
        The copied files, relative to `home`, in order.
    """
    copied = []
    for file in sorted(_regular_files(release_dir)):
        relative = file.relative_to(release_dir)
        if _copy_if_missing(file, home / relative):
            copied.append(relative)
    return tuple(copied)


def _regular_files(folder: Path) -> Iterator[Path]:
    for parent, subfolders, names in os.walk(folder):
        # A release in the making has a name with a dot.
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


def _copy_if_missing(source: Path, target: Path) -> bool:
    if os.path.lexists(target):
        return False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        # The member has a file where the course has a folder: it is the member's home.
        return False
    # Linked to its name once it is whole, and never onto a file that came in between.
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".spoc-") as draft:
        shutil.copyfile(source, draft.name)
        Path(draft.name).chmod(0o644)
        try:
            os.link(draft.name, target)
        except FileExistsError:
            return False
    return True
