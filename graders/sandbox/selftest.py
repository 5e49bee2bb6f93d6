"""Tries to break out of a throw-away sandbox before the first member is let into one."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from course.errors import SandboxUnavailable
from graders.sandbox.bubblewrap import ENV, PRLIMIT, SETPRIV, sandboxed
from graders.sandbox.policy import Bind, SandboxPolicy, python_environment

TRIAL_SECONDS = 30

# Runs inside, with nothing but the standard library. Prints the list of ways out that it found.
ESCAPES = r"""
import ctypes, json, os, socket, sys
secret, marker, port = sys.argv[1:]
found = []

def attempt(escape, action):
    try:
        if action():
            found.append(escape)
    except OSError:
        pass

def readable(path):
    with open(path, "rb") as file:
        return file.read(1) is not None

def connect(family, address):
    with socket.socket(family) as client:
        client.settimeout(2)
        client.connect(address)
        return True

def writable(path):
    with open(path, "xb"):
        return True

libc = ctypes.CDLL(None, use_errno=True)
attempt("read the state folder", lambda: readable(secret))
attempt("read the system's password hashes", lambda: readable("/etc/shadow"))
attempt("write to the system", lambda: writable("/usr/" + marker))
attempt("write to the Python environment", lambda: writable(os.path.join(sys.prefix, marker)))
attempt("reach a server of this machine", lambda: connect(socket.AF_INET, ("127.0.0.1", int(port))))
attempt("reach an abstract socket of this machine", lambda: connect(socket.AF_UNIX, "\0" + marker))
attempt("see processes of this machine", lambda: sum(name.isdigit() for name in os.listdir("/proc")) > 3)
attempt("become root", lambda: os.setuid(0) or os.getuid() == 0)
attempt("make a user namespace", lambda: libc.unshare(0x10000000) == 0)
attempt("mount a file system", lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0)
attempt("see the environment of who started it", lambda: marker in open("/proc/1/environ").read())
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
attempt("keep a privilege", lambda: int(status["CapPrm"], 16) or int(status["CapBnd"], 16))
attempt("do without the system call filter", lambda: status["Seccomp"].strip() != "2")
attempt("gain privileges by a program", lambda: status["NoNewPrivs"].strip() != "1")
print(json.dumps(found))
"""


def check_sandbox() -> None:
    """Start a sandbox as for a learner and try to get out of it.

    Raises:
        SandboxUnavailable: It does not start, or something gets out. Says why and what helps.
    """
    for program in (ENV, PRLIMIT, SETPRIV):
        if shutil.which(program) is None:
            raise SandboxUnavailable(
                f"{program} is missing, so learner code cannot be limited.",
                "Install coreutils and util-linux with the system's package manager.",
            )
    escapes = _try_to_escape()
    if escapes:
        raise SandboxUnavailable(
            "The sandbox does not hold on this machine. From inside one can: " + "; ".join(escapes) + ".",
            "Nothing was started. Please report this with the output of `uname -a`.",
        )


def _try_to_escape() -> list[str]:
    marker = "spoc-" + secrets.token_hex(8)
    with _something_to_find(marker) as (folder, port):
        work_dir = Path("/srv/work")
        policy = SandboxPolicy(
            work_dir=work_dir,
            scratch=(work_dir,),
            read_only=(*python_environment(), Bind(folder / "shown")),
            environment={"PATH": "/usr/bin:/bin"},
        )
        secret = f"{folder / 'hidden' / 'secret'}"
        trial = [sys.executable, "-I", "-c", ESCAPES, secret, marker, f"{port}"]
        try:
            ended = subprocess.run(
                sandboxed(trial, policy),
                env={**os.environ, "SPOC_SELFTEST": marker},
                capture_output=True,
                text=True,
                timeout=TRIAL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SandboxUnavailable(f"The sandbox did not start within {TRIAL_SECONDS} s.") from error
    if ended.returncode != 0:
        raise SandboxUnavailable(f"The sandbox does not start: {ended.stderr.strip()}", _cure(ended.stderr))
    found: list[str] = json.loads(ended.stdout)
    return found


@contextmanager
def _something_to_find(marker: str) -> Iterator[tuple[Path, int]]:
    """Give a folder with a secret in `hidden`, and a server's TCP port; an abstract socket is `marker`."""
    with (
        tempfile.TemporaryDirectory(prefix="spoc-selftest-") as name,
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("hidden", "shown"):
            (folder / part).mkdir()
        (folder / "hidden" / "secret").write_text(marker)
        abstract.bind("\0" + marker)
        abstract.listen()
        yield folder, server.getsockname()[1]


def _cure(complaint: str) -> str:
    """Return what helps against a complaint of bubblewrap's, from the switches that distributions turn."""
    if os.geteuid() == 0:
        return (
            "Root of a container may often not make namespaces: use the machine itself, or an ordinary user."
        )
    switches = {
        "kernel/unprivileged_userns_clone": ("0", "kernel.unprivileged_userns_clone=1"),
        "kernel/apparmor_restrict_unprivileged_userns": (
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        "user/max_user_namespaces": ("0", "user.max_user_namespaces=15000"),
    }
    for name, (off, setting) in switches.items():
        switch = Path("/proc/sys", name)
        if switch.exists() and switch.read_text().strip() == off:
            return f"User namespaces are off. Root can turn them on: `sysctl -w {setting}`."
    if "namespace" in complaint or "uid map" in complaint:
        return (
            "This machine does not let ordinary users make namespaces, as in many containers. Ask its owner."
        )
    return "The operator's guide, docs/operator.md, lists what the sandbox needs."
