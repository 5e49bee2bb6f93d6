"""Attacks for more rights: users, capabilities, namespaces, mounts, programs that run as root."""

from __future__ import annotations

import ctypes
import os
import resource
import stat
import subprocess

LIBC = ctypes.CDLL(None, use_errno=True)
SYS_CLONE = 56
SYS_CLONE3 = 435
NAMESPACES = {
    "mount": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
CALLS = {
    "mount": (b"none", b"/tmp", b"tmpfs", 0, None),
    "umount2": (b"/tmp", 2),
    "chroot": (b"/tmp",),
    "pivot_root": (b"/tmp", b"/tmp"),
    "swapoff": (b"/swap",),
    "acct": (None,),
    "personality": (0x0040000,),
    "ptrace": (0, 0, None, None),
    "iopl": (3,),
}
NUMBERS = {
    "keyctl": (250, 0, -3, 1),
    "add_key": (248, b"user", b"x", b"y", 1, -3),
    "bpf": (321, 5, None, 0),
    "perf_event_open": (298, ctypes.create_string_buffer(128), 0, -1, -1, 0),
    "userfaultfd": (323, 0),
    "io_uring_setup": (425, 1, ctypes.create_string_buffer(128)),
    "open_tree": (428, -100, b"/", 1),
    "fsopen": (430, b"tmpfs", 0),
    "name_to_handle_at": (
        303,
        -100,
        b"/",
        ctypes.create_string_buffer(160),
        ctypes.create_string_buffer(8),
        0,
    ),
    "open_by_handle_at": (304, 3, ctypes.create_string_buffer(160), 0),
    "init_module": (175, None, 0, b""),
    "kexec_load": (246, 0, 0, None, 0),
    "syslog": (103, 3, ctypes.create_string_buffer(64), 64),
    "fanotify_init": (300, 0, 0),
}


def ids() -> list[int]:
    return [*os.getresuid(), *os.getresgid(), *os.getgroups()]


def status() -> dict[str, str]:
    with open("/proc/self/status") as file:
        return {name: value.strip() for name, value in (line.split(":", 1) for line in file if ":" in line)}


def become(uid: int) -> list[str]:
    got = []
    for name, call in (
        ("gid", lambda: os.setresgid(uid, uid, uid)),
        ("groups", lambda: os.setgroups([uid])),
        ("uid", lambda: os.setresuid(uid, uid, uid)),
    ):
        try:
            call()
        except OSError:
            continue
        got.append(name)
    return got


def unshare() -> list[str]:
    return [name for name, flag in NAMESPACES.items() if LIBC.unshare(flag) == 0]


def clone_into_namespace() -> list[str]:
    return [
        name for name, flag in NAMESPACES.items() if _clones(SYS_CLONE, flag | 17, None, None, None, None)
    ]


def clone3() -> bool:
    arguments = (ctypes.c_uint64 * 11)(NAMESPACES["user"], 0, 0, 0, 17)
    return _clones(SYS_CLONE3, ctypes.byref(arguments), ctypes.sizeof(arguments))


def enter_namespaces(pid: int) -> list[str]:
    got = []
    for name in ("mnt", "net", "ipc", "pid", "user", "uts", "cgroup"):
        try:
            descriptor = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
        except OSError:
            continue
        if LIBC.setns(descriptor, 0) == 0:
            got.append(name)
        os.close(descriptor)
    return got


def forbidden_calls() -> list[str]:
    """Return the calls that the kernel let through; what it refuses for want of rights counts as refused."""
    got = [name for name, arguments in CALLS.items() if getattr(LIBC, name)(*arguments) >= 0]
    return got + [name for name, (number, *given) in NUMBERS.items() if LIBC.syscall(number, *given) >= 0]


def push_into_terminal() -> bool:
    return any(LIBC.ioctl(number, 0x5412, b"x") == 0 for number in range(3))


def programs_of_root() -> list[str]:
    """Run each program whose owner's rights go with it, and see whose rights a shell under it has."""
    got = []
    for entry in os.scandir("/usr/bin"):
        if entry.is_file() and entry.stat().st_mode & (stat.S_ISUID | stat.S_ISGID):
            ended = subprocess.run(
                [entry.path, "--version"],
                capture_output=True,
                timeout=5,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            if b"euid 0" in ended.stdout:
                got.append(entry.path)
    shell = subprocess.run(
        ["/bin/su", "-c", "id -u"], capture_output=True, timeout=5, check=False, stdin=subprocess.DEVNULL
    )
    return got + (["su"] if shell.stdout.strip() == b"0" else [])


def raise_limits() -> list[str]:
    got = []
    for name in ("AS", "CORE", "CPU", "FSIZE", "NOFILE", "NPROC"):
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        try:
            resource.setrlimit(kind, (hard + 1, hard + 1))
        except (OSError, ValueError):
            continue
        got.append(name)
    return got


def take_priority() -> list[str]:
    got = []
    for name, call in (
        ("nice", lambda: os.nice(-5)),
        ("real time", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))),
        ("not killed first", lambda: _write("/proc/self/oom_score_adj", "0")),
    ):
        try:
            call()
        except OSError:
            continue
        got.append(name)
    return got


def _clones(number: int, *arguments: object) -> bool:
    pid = int(LIBC.syscall(number, *arguments))
    if pid == 0:
        os._exit(0)
    if pid > 0:
        os.waitpid(pid, 0)
    return pid > 0


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
