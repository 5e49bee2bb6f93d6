"""The system calls that code in a sandbox never gets: ways to the kernel's less travelled parts.

A deny list: a scientific Python uses far too many calls for an allow list that would survive an upgrade. The
namespaces are the wall; this keeps attacks on the wall itself away from it.
"""

from __future__ import annotations

import errno
import os
import socket
from functools import cache
from pathlib import Path
from typing import Any

from course.errors import SandboxUnavailable

FORBIDDEN = (
    # look into or steer other processes
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"),
    # change what is mounted, or leave the namespaces
    *(
        "mount",
        "umount2",
        "pivot_root",
        "chroot",
        "move_mount",
        "open_tree",
        "mount_setattr",
        "unshare",
        "setns",
    ),
    *("fsopen", "fsmount", "fsconfig", "fspick", "open_by_handle_at", "name_to_handle_at", "quotactl"),
    # parts of the kernel with a history of privilege escalation
    *("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register"),
    # keyrings are shared beyond namespaces
    *("keyctl", "add_key", "request_key"),
    # the machine itself
    *(
        "init_module",
        "finit_module",
        "delete_module",
        "kexec_load",
        "kexec_file_load",
        "reboot",
        "swapon",
        "swapoff",
    ),
    *("acct", "syslog", "personality"),
    # tell what others open: files that are bound into several sandboxes would carry messages between them
    *("fanotify_init", "inotify_init", "inotify_init1", "inotify_add_watch"),
)
FORBIDDEN_IOCTLS = (
    0x5412,  # TIOCSTI: type into the terminal that started the sandbox
    0x541C,  # TIOCLINUX: the same on a text console
)
# What one sandbox leaves on a file, another that has the same file bound sees.
FORBIDDEN_FCNTLS = (
    1024,  # F_SETLEASE
    1026,  # F_NOTIFY
    1036,  # F_SET_RW_HINT
    1038,  # F_SET_FILE_RW_HINT
)
LOCKING_FCNTLS = (
    6,  # F_SETLK
    7,  # F_SETLKW
    37,  # F_OFD_SETLK
    38,  # F_OFD_SETLKW
)
# What is in the machine's memory of a file that several sandboxes have, one has read: another could ask, or
# have it dropped. How long reading takes still tells something.
CACHESTAT = 451
"""By number: libseccomp before 2.6 has no name for it."""
READING_AND_WRITING = ("preadv2", "pwritev2")
RWF_NOWAIT = 8
POSIX_FADV_DONTNEED = 4
CLONE_NEWUSER = 0x10000000
LOW_32_BITS = 0xFFFFFFFF

# ipykernel's output pipe is loopback TCP, libzmq lists interfaces by netlink; the network namespace bounds
# both. Other families, such as vsock, it does not bound.
ALLOWED_FAMILIES = frozenset({socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK})
HIGHEST_FAMILY = 64


@cache
def filter_descriptor(locks_files: bool) -> int:
    """Return a descriptor of the compiled filter, which stays open for the life of this process.

    Args:
        locks_files: Whether the filter lets files be locked. Otherwise a lock is said to be had, and is not:
            SQLite opens no database that it cannot lock.

    Raises:
        SandboxUnavailable: The system has no libseccomp.
    """
    try:
        import pyseccomp
    except (ImportError, RuntimeError, OSError) as error:
        raise SandboxUnavailable(
            f"libseccomp cannot be loaded, so no sandbox can be closed: {error}",
            "Install it: `apt install libseccomp2` on Debian and Ubuntu, `dnf install libseccomp` on Fedora.",
        ) from error
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    refuse = pyseccomp.ERRNO(errno.EPERM)
    for call in FORBIDDEN:
        # A call that this libseccomp has no number for is one that its kernel headers did not have either.
        if pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, call) != -1:
            rules.add_rule(refuse, call)
    # clone3 hides its flags from a filter; ENOSYS makes the C library use clone.
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    new_user_namespace = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER)
    rules.add_rule(refuse, "clone", new_user_namespace)
    for request in FORBIDDEN_IOCTLS:
        rules.add_rule(refuse, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, LOW_32_BITS, request))
    for request in FORBIDDEN_FCNTLS:
        rules.add_rule(refuse, "fcntl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, LOW_32_BITS, request))
    if not locks_files:
        done_nothing = pyseccomp.ERRNO(0)
        rules.add_rule(done_nothing, "flock")
        for request in LOCKING_FCNTLS:
            rules.add_rule(done_nothing, "fcntl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, LOW_32_BITS, request))
    _hide_page_cache(rules)
    no_such_family = pyseccomp.ERRNO(errno.EAFNOSUPPORT)
    for family in set(range(HIGHEST_FAMILY)) - ALLOWED_FAMILIES:
        rules.add_rule(no_such_family, "socket", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, LOW_32_BITS, family))
    descriptor = os.memfd_create("spoc-seccomp")
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        rules.export_bpf(file)
    return descriptor


def _hide_page_cache(rules: Any) -> None:
    import pyseccomp

    for call in ("mincore", CACHESTAT):
        rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), call)
    at_once = pyseccomp.Arg(5, pyseccomp.MASKED_EQ, RWF_NOWAIT, RWF_NOWAIT)
    for call in READING_AND_WRITING:
        rules.add_rule(pyseccomp.ERRNO(errno.EOPNOTSUPP), call, at_once)
    dropping = pyseccomp.Arg(3, pyseccomp.MASKED_EQ, LOW_32_BITS, POSIX_FADV_DONTNEED)
    rules.add_rule(pyseccomp.ERRNO(0), "fadvise64", dropping)


def filter_path(locks_files: bool) -> Path:
    """Return a path at which a child of this process, whatever it inherits, can open the compiled filter."""
    return Path(f"/proc/{os.getpid()}/fd/{filter_descriptor(locks_files)}")
