"""What hostile code may touch: a value, made by who starts it and turned into a command by `bubblewrap`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import course

MIB = 1 << 20
GIB = 1 << 30

GRADING_UID = 199_999
"""Who a graded kernel runs as when root starts it; no account and no member has this uid."""

FORKED_UIDS = range(190_000, 199_999)
"""Who the children of fork servers run as when root starts those; no account, no member has one of these."""


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or folder of the host, and where it appears inside; in the same place unless told otherwise."""

    source: Path
    target: Path | None = None

    @property
    def inside(self) -> Path:
        return self.target or self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxPolicy:
    """The limits of one sandbox. What is not named here does not exist inside: no network, no other process.

    Always there, read-only: `/usr`, chosen files of `/etc`, a `/proc` and a small `/dev` of its own. Always
    there, writable and gone afterwards: `/tmp` and `/dev/shm`. A writable bind lies over a hidden folder, and
    that over a read-only bind.
    """

    work_dir: Path
    """Inside; must be part of a bind or of `scratch`."""
    read_only: tuple[Bind, ...] = ()
    hidden: tuple[Path, ...] = ()
    """Folders within a bind that appear empty."""
    scratch: tuple[Path, ...] = ()
    """More writable folders that live in memory and are gone afterwards."""
    writable: tuple[Bind, ...] = ()
    """When root starts the sandbox, `uid` must own these on the host."""
    environment: Mapping[str, str] | None = None
    """All variables inside. They stand in the command line, which every user of the machine can read: no
    secrets. None: the variables that the command is started with, which must then be fit to be seen."""
    uid: int = GRADING_UID
    """The real uid and gid inside when root starts it. An ordinary user's sandbox runs as that user."""
    locks_files: bool = True
    """Whether it can lock files. Read-only files are the same for all sandboxes, and a lock on one of them is
    seen in all: what must tell nobody what it knows locks none, and is told that it does."""
    outlives_caller: bool = False
    """Whether the sandbox goes on when the process that started it ends."""
    confines_children: bool = False
    """For our own fork server, which runs nobody else's code itself: it keeps the capabilities to confine
    each of its children, within this sandbox, and inherits the compiled filter for them as a descriptor."""
    hostname: str = "spoc"
    scratch_bytes: int = 256 * MIB
    """Size of each of `/tmp`, `/dev/shm` and the scratch folders."""
    memory_bytes: int | None = 2 * GIB
    """Address space of each process."""
    cpu_seconds: int | None = None
    """CPU time of each process."""
    file_bytes: int | None = 256 * MIB
    """Largest file that can be written."""
    processes: int | None = 256
    """Processes and threads at one time."""
    open_files: int = 1024


def python_environment(*packages: str) -> tuple[Bind, ...]:
    """Return what this very Python environment needs inside, with those of our own packages that are named.

    An editable installation shows only the named packages and never the rest of the source tree; hide
    `course/modules` with `course_content()`.
    """
    source_dir = Path(course.__file__).parent.parent
    real_python = Path(sys.executable).resolve()
    folders = [Path(sys.prefix), Path(sys.base_prefix), real_python.parent.parent]
    folders += [source_dir / package for package in packages]
    outside_usr = [folder for folder in folders if not folder.is_relative_to("/usr")]
    return tuple(Bind(folder) for folder in dict.fromkeys(outside_usr))


def course_content() -> tuple[Path, ...]:
    """Return the folders of the package `course` that hold answer keys: empty for an installed wheel."""
    modules_dir = Path(course.__file__).parent / "modules"
    return (modules_dir,) if modules_dir.is_dir() else ()
