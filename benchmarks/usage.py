"""What a piece of work costs, all child processes included: time on the clock, processor time, memory."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.memory import descendants, proportional_mib

SAMPLE_SECONDS = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Usage:
    """`peak_mib` is 0 where memory was not watched."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0


@contextmanager
def used(*, watch_memory: bool = False) -> Iterator[Usage]:
    """Give the usage of this process and all below it, complete when the block is left.

    Watching memory costs time itself: measure the two apart.
    """
    usage = Usage()
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(usage, done))
    if watch_memory:
        watch.start()
    cpu, start = cpu_seconds(os.getpid()), time.perf_counter()
    try:
        yield usage
    finally:
        usage.seconds = time.perf_counter() - start
        usage.cpu_seconds = cpu_seconds(os.getpid()) - cpu
        done.set()
        if watch_memory:
            watch.join()


def cpu_seconds(pid: int) -> float:
    """Return what a process, those below it and those of them that have ended have used of the processor."""
    return sum(map(_cpu_seconds, (pid, *descendants(pid))))


def _cpu_seconds(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # it ended meanwhile
        return 0.0
    user, system, children_user, children_system = stat.rpartition(")")[2].split()[11:15]
    return (int(user) + int(system) + int(children_user) + int(children_system)) / _TICKS


def _watch(usage: Usage, done: threading.Event) -> None:
    while not done.wait(SAMPLE_SECONDS):
        pids = iter([os.getpid(), *descendants(os.getpid())])
        usage.peak_mib = max(usage.peak_mib, proportional_mib(pids))
