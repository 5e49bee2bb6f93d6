"""The processes of this machine."""

from __future__ import annotations

from pathlib import Path


def descendants(ancestor: int) -> set[int]:
    """Return the processes that `ancestor` has started, and those that they have."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = parent_of(int(path.parent.name))
        except OSError:
            continue
    found, new = set[int](), {ancestor}
    while new:
        new = {child for child, parent in parents.items() if parent in new}
        found |= new
    return found


def parent_of(process: int) -> int:
    """Return who started a process, or has adopted it.

    Raises:
        OSError: It is gone.
    """
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
