"""What the process of a run does to itself, and so to all that it starts.

It sees nothing but the sandbox of the fork server, read-only, and folders of its own that start empty. It has
no network but a loopback of its own, shares no process, no System V object and no terminal with another
run, and no capability is left to it or to any program that it starts.

Two variants, as in `graders.sandbox.bubblewrap`. By root: a uid of its own, real and without rights. By an
ordinary user: a user namespace of its own below that of the fork server, so that its processes are counted
apart, in which nothing can be gained and no further one made.
"""

from __future__ import annotations

import fcntl
import os
import resource
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from graders.forkserver.landlock import landlock_version, restrict_files
from graders.forkserver.limits import ProcessLimits
from graders.forkserver.system_calls import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REC,
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    drop_bounding_set,
    drop_capabilities,
    filter_system_calls,
    mount,
    process_control,
    unshare,
)

HOME = "/home/learner"
SCRATCH = (HOME, "/tmp", "/dev/shm")  # noqa: S108 - the sandbox's own
DEVICES = ("/dev",)
BYTES_OF_A_FILE = 4096
"""A scratch folder takes a name for so many bytes of its size: an empty file is memory of the kernel's."""
SHARED = "/run/shared"
ALL_SHARED = "/run/all-shared"
"""Where the fork server has the folders that the grader shares with runs, one each."""

CPU_SECONDS_TO_END = 5
"""What a process has left after SIGXCPU. At the hard limit comes SIGKILL, which tells nothing of time."""

SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
INTERFACE_REQUEST = struct.Struct("16sH22x")


@dataclass(frozen=True, slots=True)
class Walls:
    """What is special to one run."""

    limits: ProcessLimits
    """Of each of its processes."""
    uid: int
    """Whom it runs as. Started by root this is a real one that nobody else has; else it is another name for
    the user that started the fork server."""
    shared: str | None = None
    """Name of the folder, of those that the grader shares with runs, that it finds at `SHARED`."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What is known before the fork; made once, by the fork server."""

    system_call_filter: bytes
    """The compiled program of `graders.sandbox.seccomp`."""
    by_root: bool
    """Whether root of the machine started the fork server, and not an ordinary user."""
    last_capability: int
    landlock: int
    """Its version, 0 for none."""
    covered: tuple[str, ...]
    """Folders of the environment that lie within a folder that each child gets anew."""

    @classmethod
    def of_this_machine(cls, filter_descriptor: int, *, by_root: bool) -> Confinement:
        """Make this process fit to confine children, with the filter that the descriptor holds."""
        with os.fdopen(filter_descriptor, "rb") as file:
            system_call_filter = file.read()
        last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
        # What this process keeps, no program that it or a child starts may have.
        process_control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
        drop_bounding_set(last)
        return cls(system_call_filter, by_root, last, landlock_version(), tuple(_covered()))

    def enter(self, walls: Walls) -> None:
        """Confine this process, which is in a process namespace of its own and has one thread.

        Raises:
            OSError: A wall cannot be put up. The process must end then.
        """
        unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET)
        _start_loopback()
        _mount_own_folders(walls.limits.scratch_bytes, self.covered)
        _mount_shared_folder(walls.shared)
        _be_killed_first()
        if self.by_root:
            os.setgroups([])
            os.setresgid(walls.uid, walls.uid, walls.uid)
            os.setresuid(walls.uid, walls.uid, walls.uid)
        else:
            _enter_user_namespace(walls.uid)
            # A new user namespace starts with all of them, in itself.
            drop_bounding_set(self.last_capability)
        drop_capabilities()
        process_control(PR_SET_NO_NEW_PRIVS, 1)
        restrict_files(self.landlock, (*SCRATCH, SHARED), DEVICES)
        filter_system_calls(self.system_call_filter)
        limit_process(walls.limits)
        # A change of rights hides `/proc/self` from the process itself.
        process_control(PR_SET_DUMPABLE, 1)


def limit_process(limits: ProcessLimits) -> None:
    """Limit this process and each that it starts, for good."""
    for kind, limit, more in (
        (resource.RLIMIT_AS, limits.memory_bytes, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_CPU, limits.cpu_seconds, CPU_SECONDS_TO_END),
        (resource.RLIMIT_FSIZE, limits.file_bytes, 0),
        (resource.RLIMIT_NOFILE, limits.open_files, 0),
        (resource.RLIMIT_NPROC, limits.processes, 0),
    ):
        _, hard = resource.getrlimit(kind)
        most = limit + more if hard == resource.RLIM_INFINITY else min(limit + more, hard)
        resource.setrlimit(kind, (min(limit, most), most))


def close_all_but(kept: Iterable[int]) -> None:
    """Close every descriptor beyond 2 that is not kept."""
    low = 3
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    for descriptor in sorted(kept):
        os.closerange(low, descriptor)
        low = max(low, descriptor + 1)
    os.closerange(low, limit)


def _covered() -> Iterator[str]:
    """Yield what is mounted within the folders that each child gets anew, without what lies in another."""
    with open("/proc/self/mounts") as file:
        mounted = sorted(Path(line.split(" ")[1].encode().decode("unicode_escape")) for line in file)
    within = [path for path in mounted if set(map(str, path.parents)) & set(SCRATCH)]
    for path in within:
        if not set(path.parents) & set(within):
            yield str(path)


def _start_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, INTERFACE_REQUEST.pack(b"lo", IFF_UP))


def _mount_own_folders(scratch_bytes: int, covered: Sequence[str]) -> None:
    sealed = MS_NOSUID | MS_NODEV
    seen = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in covered}
    for folder in SCRATCH:
        limits = f"size={scratch_bytes},nr_inodes={scratch_bytes // BYTES_OF_A_FILE}"
        mount("tmpfs", folder, "tmpfs", sealed, f"mode=1777,{limits}")
    for path, descriptor in seen.items():
        os.makedirs(path)
        mount(f"/proc/self/fd/{descriptor}", path, None, MS_BIND | MS_REC)
        os.close(descriptor)
    mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    mount("proc", "/proc", "proc", sealed | MS_NOEXEC)


def _mount_shared_folder(name: str | None) -> None:
    if name is not None:
        mount(f"{ALL_SHARED}/{name}", SHARED, None, MS_BIND)
    mount("tmpfs", ALL_SHARED, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=555")


def _be_killed_first() -> None:
    # When memory is short the machine must not choose the hub.
    Path("/proc/self/oom_score_adj").write_text("1000")


def _enter_user_namespace(uid: int) -> None:
    # What is 0 here is the user that started the fork server.
    unshare(CLONE_NEWUSER)
    for name, content in (("setgroups", "deny"), ("uid_map", f"{uid} 0 1"), ("gid_map", f"{uid} 0 1")):
        Path("/proc/self", name).write_text(content)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
