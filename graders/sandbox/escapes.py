"""Ways out of a sandbox, tried from inside it. Needs nothing but Python and its standard library.

`selftest` runs this file's text as a program, so that a sandbox is tried that holds none of our packages;
what a fork server has forked calls it.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
from collections.abc import Callable

NEW_USER_NAMESPACE = 0x10000000
NEW_MOUNT_NAMESPACE = 0x00020000
PTRACE_ATTACH = 16
PROCESSES = 3
"""At most these are in a sandbox: its first process, perhaps a shell, and this one."""


def ways_out(secret: str, marker: str, port: str) -> list[str]:
    """Return what one can do from here that a learner must not.

    Args:
        secret: A file of the host that must not be readable.
        marker: Name of a free file, of an abstract socket of the host, and a word in the environment of who
            started the sandbox.
        port: Where a server of the host listens.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file if ":" in line)
    attempts: dict[str, Callable[[], object]] = {
        "read the state folder": lambda: readable(secret),
        "read the system's password hashes": lambda: readable("/etc/shadow"),
        "write to the root folder": lambda: writable("/" + marker),
        "write to the system": lambda: writable("/usr/" + marker),
        "write to the devices": lambda: writable("/dev/" + marker),
        "write to the Python environment": lambda: writable(os.path.join(sys.prefix, marker)),
        "reach a server of this machine": lambda: connected(socket.AF_INET, ("127.0.0.1", int(port))),
        "reach an abstract socket of this machine": lambda: connected(socket.AF_UNIX, "\0" + marker),
        "see processes of this machine": lambda: process_count() > PROCESSES,
        "become root": became_root,
        "make a user namespace": lambda: libc.unshare(NEW_USER_NAMESPACE) == 0,
        "make a mount namespace": lambda: libc.unshare(NEW_MOUNT_NAMESPACE) == 0,
        "mount a file system": lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0,
        "steer another process": lambda: libc.ptrace(PTRACE_ATTACH, 1, None, None) == 0,
        "see the environment of who started it": lambda: holds("/proc/1/environ", marker),
        "keep a privilege": lambda: int(status["CapPrm"], 16) or int(status["CapBnd"], 16),
        "do without the system call filter": lambda: status["Seccomp"].strip() != "2",
        "gain privileges by a program": lambda: status["NoNewPrivs"].strip() != "1",
    }
    return [escape for escape, attempt in attempts.items() if succeeds(attempt)]


def succeeds(attempt: Callable[[], object]) -> bool:
    try:
        return bool(attempt())
    except OSError:
        return False


def became_root() -> bool:
    os.setuid(0)
    return os.getuid() == 0


def readable(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(1) is not None


def writable(path: str) -> bool:
    with open(path, "xb"):
        os.unlink(path)
    return True


def holds(path: str, word: str) -> bool:
    with open(path) as file:
        return word in file.read()


def connected(family: int, address: str | tuple[str, int]) -> bool:
    with socket.socket(family) as client:
        client.settimeout(2)
        client.connect(address)
        return True


def process_count() -> int:
    return sum(name.isdigit() for name in os.listdir("/proc"))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(ways_out(*sys.argv[1:])))
