"""Attacks on files: read those of the host, write anywhere, tell others something through one."""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import stat
from collections.abc import Iterator
from pathlib import Path

OWN = ("/home/learner", "/tmp", "/dev/shm")


def read(path: str) -> str:
    return Path(path).read_text(errors="replace")


def read_around(path: str) -> list[str]:
    """Look for a file of the host wherever a process can be another one's view of the file system."""
    starts = [
        "/",
        "/..",
        "/proc/1/root",
        "/proc/1/cwd/../..",
        "/proc/self/root/..",
        "/proc/self/cwd/../../..",
    ]
    starts += [f"/proc/self/fd/{number}/.." for number in os.listdir("/proc/self/fd")]
    return [start for start in starts if os.path.lexists(start + path)]


def find(name: str) -> list[str]:
    """Look for a file by its name, but for the depths of what is installed."""
    places = (*_walk("/", skipped=("/proc", "/usr"), depth=6), *_walk("/proc/self/task", ()))
    return [path for path in places if os.path.basename(path) == name]


def folders() -> list[str]:
    return sorted(os.listdir("/"))


def folders_within(folder: str) -> list[str]:
    return sorted(os.listdir(folder))


def writable_folders() -> list[str]:
    """Make a file in each folder, down to the third level and wherever something is mounted."""
    with open("/proc/self/mounts") as mounts:
        places = {line.split(" ")[1].encode().decode("unicode_escape") for line in mounts}
    places |= {os.path.dirname(path) for path in _walk("/", skipped=("/proc",), depth=3)}
    found = []
    for folder in places:
        path = os.path.join(folder, "left-behind")
        if not folder.startswith(OWN) and _makes(path):
            found.append(path)
    return found


def writable_mounts() -> list[str]:
    """Return what is mounted to be written, whoever may, and not covered by another mount."""
    with open("/proc/self/mounts") as mounts:
        fields = [line.split(" ") for line in mounts]
    topmost = {place: options.split(",") for _, place, kind, options, *_ in fields if kind != "proc"}
    return sorted(place for place, options in topmost.items() if "rw" in options)


def writable_settings() -> list[str]:
    """Open for writing what `/proc` and `/etc` have, without what is about this very process."""
    skipped = (f"/proc/{os.getpid()}", "/proc/self", "/proc/thread-self")
    found = [*_walk("/proc", skipped), *_walk("/etc", ())]
    return [path for path in found if _opens(path)]


def writable_devices() -> list[str]:
    return sorted(path for path in _walk("/dev", skipped=("/dev/shm",)) if _opens(path))


def memory_holds(first: str, second: str) -> list[str]:
    """Look through all of this process's memory for a word; it comes in two parts so as not to be there."""
    found = []
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, permissions, *_ = line.split(maxsplit=5)
            if not permissions.startswith("rw"):
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            memory.seek(start)
            content = memory.read(end - start)
            place = content.find(first.encode())
            while place >= 0:
                after = place + len(first)
                if content[after : after + len(second)] == second.encode():
                    found.append(line.strip())
                place = content.find(first.encode(), after)
            del content
    return found


def shared_memory() -> list[str]:
    """Look for memory that another process has too, and that this one can write."""
    with open("/proc/self/maps") as maps:
        return [line.strip() for line in maps if "rw-s" in line.split(maxsplit=2)[1]]


def descriptors() -> dict[str, str]:
    """Return what is open, but for the folder that is being listed."""
    found = {number: _target(number) for number in os.listdir("/proc/self/fd")}
    return {number: target for number, target in found.items() if not target.startswith("/proc/")}


def mark_descriptor(number: int) -> bool:
    """Leave a flag on an open file, which all have who inherited it."""
    fcntl.fcntl(number, fcntl.F_SETFL, fcntl.fcntl(number, fcntl.F_GETFL) | os.O_APPEND | os.O_NONBLOCK)
    return bool(fcntl.fcntl(number, fcntl.F_GETFL) & os.O_APPEND)


def descriptor_is_marked(number: int) -> bool:
    return bool(fcntl.fcntl(number, fcntl.F_GETFL) & os.O_APPEND)


def write_to_descriptor(number: int, text: str) -> int:
    return os.write(number, text.encode())


def read_from_descriptor(number: int) -> str:
    return os.pread(number, 4096, 0).decode(errors="replace")


def lock(path: str) -> bool:
    with open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        return _is_locked(path)


def lock_range(path: str) -> bool:
    with open(path, "rb") as file:
        fcntl.lockf(file, fcntl.LOCK_SH)
        return _is_locked(path)


def _is_locked(path: str) -> bool:
    """Ask the kernel, which may have been kept from being asked for the lock."""
    return any(f":{os.stat(path).st_ino} " in line for line in Path("/proc/locks").read_text().splitlines())


def lease(path: str) -> bool:
    with open(path, "rb") as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    return True


def hint(path: str) -> bool:
    with open(path, "rb") as file:
        fcntl.fcntl(file, 1036, ctypes.c_uint64(2))  # F_SET_RW_HINT, which stays with the file
    return True


def watch(path: str) -> bool:
    return _call("inotify_add_watch", _call("inotify_init1", 0), path.encode(), 1) >= 0


def make_device(path: str) -> bool:
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 1))
    return True


def map_memory_of_the_machine() -> bool:
    with open("/dev/mem", "rb") as memory:
        return bool(mmap.mmap(memory.fileno(), 4096, prot=mmap.PROT_READ))


def leave_files(word: str) -> list[str]:
    """Leave a file in each folder that can be written, and a word in the modules that are there already."""
    import builtins

    builtins.left_behind = word  # type: ignore[attr-defined]
    paths = [Path(folder, "left-behind") for folder in OWN]
    for path in paths:
        path.write_text(word)
    return [str(path) for path in paths]


def left_files() -> list[str]:
    import builtins

    found = [name for name in dir(builtins) if name == "left_behind"]
    return found + [folder for folder in OWN for name in os.listdir(folder) if name == "left-behind"]


def _call(name: str, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(getattr(libc, name)(*arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


def _walk(top: str, skipped: tuple[str, ...], depth: int = 100) -> Iterator[str]:
    for folder, names, files in os.walk(top):
        names[:] = [name for name in names if os.path.join(folder, name) not in skipped]
        for name in (*names, *files):
            yield os.path.join(folder, name)
        if folder.count("/") >= depth:
            names.clear()


def _makes(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    except OSError:
        return False
    return True


def _opens(path: str) -> bool:
    if os.path.isdir(path) or os.path.islink(path):
        return False
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def _target(number: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except FileNotFoundError:
        return "/proc/"
