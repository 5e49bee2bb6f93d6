"""Attacks on other processes: see them, look into them, steer them, outlive the run."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from contextlib import suppress

LIBC = ctypes.CDLL(None, use_errno=True)
SYS_PIDFD_GETFD = 438
PTRACE_ATTACH = 16
PTRACE_SEIZE = 0x4206


class _Span(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


def seen() -> list[int]:
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def environments() -> str:
    """Return what can be read of the environment and the command line of everybody, with one's own."""
    found = [repr(dict(os.environ))]
    for pid in seen():
        for name in ("environ", "cmdline"):
            try:
                with open(f"/proc/{pid}/{name}") as file:
                    found.append(file.read())
            except OSError:
                continue
    return "\n".join(found)


def look_into(pid: int) -> list[str]:
    """Return what can be opened of another process."""
    got = [
        name
        for name in ("environ", "maps", "mem", "auxv", "stack", "syscall")
        if _reads(f"/proc/{pid}/{name}")
    ]
    for name in ("fd", "fdinfo", "map_files", "ns", "root", "cwd"):
        try:
            inside = os.listdir(f"/proc/{pid}/{name}")
        except OSError:
            continue
        got += [f"{name}/{each}" for each in inside if _opens(f"/proc/{pid}/{name}/{each}")]
    return got


def write_into(pid: int) -> bool:
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        return memory.writable()


def trace(pid: int) -> list[str]:
    return [
        name
        for name, request in (("attach", PTRACE_ATTACH), ("seize", PTRACE_SEIZE))
        if LIBC.ptrace(request, pid, None, None) == 0
    ]


def read_memory(pid: int) -> bool:
    buffer = ctypes.create_string_buffer(8)
    own = _Span(ctypes.addressof(buffer), 8)
    theirs = _Span(ctypes.addressof(ctypes.create_string_buffer(8)), 8)
    return bool(LIBC.process_vm_readv(pid, ctypes.byref(own), 1, ctypes.byref(theirs), 1, 0) > 0)


def take_descriptors(pid: int) -> list[int]:
    """Return which descriptors of another process can be copied."""
    descriptor = os.pidfd_open(pid)
    got = [number for number in range(64) if LIBC.syscall(SYS_PIDFD_GETFD, descriptor, number, 0) >= 0]
    os.close(descriptor)
    return got


def signal_all() -> bool:
    """Send every deadly signal to the first process and to all; the sender itself is spared by the system."""
    if os.geteuid() == 0:
        raise RuntimeError("Not with the rights of root: where no wall stands, this ends the machine.")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
        # A parent in another namespace is seen as 0, and that would be the sender's own group.
        for pid in {1, os.getppid()} - {0}:
            try:
                os.kill(pid, number)
            except OSError:
                continue
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    return True


def leave_daemons(count: int) -> int:
    """Leave processes that are nobody's children, heed no signal and hold nothing open."""
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            os.setsid()
            if os.fork() == 0:
                for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                    signal.signal(number, signal.SIG_IGN)
                os.closerange(0, 1024)
                while True:
                    time.sleep(3600)
            os._exit(0)
        os.waitpid(pid, 0)
    return len(seen())


def end_at_once(code: int) -> None:
    os._exit(code)


def _reads(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError:
        return False
    return True


def _opens(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
