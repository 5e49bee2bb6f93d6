"""Memory of running processes, from /proc."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def descendants(pid: int) -> Iterator[int]:
    """Yield the ids of all processes below `pid`, itself not among them."""
    for thread in _parts(PROC / str(pid) / "task"):
        for child in _read(thread / "children").split():
            yield int(child)
            yield from descendants(int(child))


def proportional_mib(pids: Iterator[int]) -> float:
    """Return the memory of these processes in MiB, each shared page divided among those who share it."""
    kib = 0
    for pid in pids:
        for line in _read(PROC / str(pid) / "smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                kib += int(line.split()[1])
    return kib / 1024


def command_line(pid: int) -> str:
    """Return what a process was started with; empty when it is gone."""
    return _read(PROC / str(pid) / "cmdline").replace("\0", " ")


def _parts(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # it ended meanwhile
        return []


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # it ended meanwhile
        return ""
