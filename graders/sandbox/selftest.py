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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from course.errors import SandboxUnavailable
from graders.sandbox import escapes
from graders.sandbox.bubblewrap import ENV, PRLIMIT, SETPRIV, sandboxed
from graders.sandbox.policy import Bind, SandboxPolicy, python_environment

TRIAL_SECONDS = 30


def check_sandbox() -> None:
    """Start a sandbox as for a learner and try to get out of it.

    Raises:
        SandboxUnavailable: It does not start, or something gets out. Says why and what helps.
    """
    check_programs()
    refuse_escapes(_try_to_escape())


def check_programs() -> None:
    """Look for the programs that a sandbox is made with.

    Raises:
        SandboxUnavailable: One is missing.
    """
    for program in (ENV, PRLIMIT, SETPRIV):
        if shutil.which(program) is None:
            raise SandboxUnavailable(
                f"{program} is missing, so learner code cannot be limited.",
                "Install coreutils and util-linux with the system's package manager.",
            )


def refuse_escapes(found: Sequence[str]) -> None:
    """Let nobody in where a way out was found.

    Raises:
        SandboxUnavailable: There is one. Says which.
    """
    if found:
        raise SandboxUnavailable(
            "The sandbox does not hold on this machine. From inside one can: " + "; ".join(found) + ".",
            "Nothing was started. Please report this with the output of `uname -a`.",
        )


def _try_to_escape() -> list[str]:
    marker = "spoc-" + secrets.token_hex(8)
    with something_to_find(marker) as (folder, port):
        work_dir = Path("/srv/work")
        policy = SandboxPolicy(
            work_dir=work_dir,
            scratch=(work_dir,),
            read_only=(*python_environment(), Bind(folder / "shown")),
            environment={"PATH": "/usr/bin:/bin"},
        )
        secret = f"{folder / 'hidden' / 'secret'}"
        trial = [sys.executable, "-I", "-c", Path(escapes.__file__).read_text(), secret, marker, f"{port}"]
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
        raise SandboxUnavailable(f"The sandbox does not start: {ended.stderr.strip()}", cure(ended.stderr))
    found: list[str] = json.loads(ended.stdout)
    return found


@contextmanager
def something_to_find(marker: str) -> Iterator[tuple[Path, int]]:
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


def cure(complaint: str) -> str:
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
