"""What a forked process may use, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from graders.sandbox.policy import GIB, MIB

Role = Literal["cells", "referee", "kernel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLimits:
    """What one forked process and all that it starts may use; the defaults are those of the sandbox."""

    memory_bytes: int = 2 * GIB
    """Address space of each process."""
    cpu_seconds: int = 300
    """CPU time of each process; one that ignores the signal which says that it is over gets a little more."""
    processes: int = 256
    """Processes and threads at one time."""
    file_bytes: int = 256 * MIB
    """Largest file that can be written."""
    scratch_bytes: int = 256 * MIB
    """Size of the working folder, of `/tmp` and of `/dev/shm`, each."""
    open_files: int = 1024


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a process ended: by itself with a code, or by a signal."""

    code: int | None
    signal: int | None
