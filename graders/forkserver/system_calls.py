"""The calls of Linux that Python 3.11 has no function for. Each raises OSError as Python's own do."""

from __future__ import annotations

import ctypes
import os
from functools import cache

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_BIND = 0x1000
MS_REC = 0x4000

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

SECCOMP_MODE_FILTER = 2
SECCOMP_INSTRUCTION_BYTES = 8
CAPABILITY_VERSION_3 = 0x20080522


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilitySets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


class _SeccompProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


@cache
def c_library() -> ctypes.CDLL:
    """Return the process's own C library."""
    return ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> int:
    """Return the result of a C function.

    Raises:
        OSError: It failed; the text says at what.
    """
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    checked(c_library().unshare(flags), f"unshare({flags:#x})")


def set_namespace(descriptor: int, kind: int) -> None:
    checked(c_library().setns(descriptor, kind), f"setns({kind:#x})")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    result = c_library().mount(
        source.encode(),
        target.encode(),
        None if kind is None else kind.encode(),
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    checked(result, f"mount {kind or source} on {target}")


def process_control(operation: int, argument: int = 0, address: int | None = None) -> None:
    result = c_library().prctl(
        operation, ctypes.c_ulong(argument), ctypes.c_void_p(address), ctypes.c_ulong(0), ctypes.c_ulong(0)
    )
    checked(result, f"prctl({operation})")


def drop_capabilities() -> None:
    """Empty every capability set of this process but the bounding set."""
    header = _CapabilityHeader(CAPABILITY_VERSION_3, 0)
    sets = (_CapabilitySets * 2)()
    process_control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    checked(c_library().capset(ctypes.byref(header), ctypes.byref(sets)), "capset")


def drop_bounding_set(last_capability: int) -> None:
    """Give up what a program could bring, which needs CAP_SETPCAP."""
    for capability in range(last_capability + 1):
        process_control(PR_CAPBSET_DROP, capability)


def filter_system_calls(program: bytes) -> None:
    """Install a compiled seccomp filter; `no_new_privs` must be set."""
    count = len(program) // SECCOMP_INSTRUCTION_BYTES
    loaded = _SeccompProgram(count, program)
    process_control(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(loaded))
