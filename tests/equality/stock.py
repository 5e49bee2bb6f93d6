"""`nbgrader autograde` as it is, over several assignments in one process: `python -m tests.equality.stock`.

Starting nbgrader costs two seconds, so a process of its own for each assignment would be most of the time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nbgrader.apps import AutogradeApp

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class StockRun:
    """What nbgrader's own commands did: by assignment the exit code, and the log of all."""

    exit_codes: dict[str, int]
    log: str


class StockProcess:
    """A running stock grader of some assignments of a course directory."""

    def __init__(self, course: Path, assignments: Sequence[str], home: Path) -> None:
        command = [sys.executable, "-m", "tests.equality.stock", *assignments]
        self._process = subprocess.Popen(
            command,
            cwd=course,
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def result(self, timeout: float) -> StockRun:
        """Wait for the end; raises when nbgrader could not be run at all."""
        output, log = self._process.communicate(timeout=timeout)
        if self._process.returncode != 0:
            raise RuntimeError(log[-3000:])
        return StockRun(json.loads(output), log)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a trainer who has no configuration of their own."""
    scripts = sysconfig.get_path("scripts")
    return {
        "PATH": os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
    }


def main(assignments: Sequence[str]) -> None:
    output, sys.stdout = sys.stdout, sys.stderr
    with tempfile.TemporaryDirectory(prefix="stock-") as folder:
        # A port that another kernel takes meanwhile would fail a submission now and then.
        sockets = ["--KernelManager.transport=ipc", f"--KernelManager.ip={folder}/kernel"]
        json.dump({name: _autograde(name, sockets) for name in assignments}, output)


def _autograde(assignment: str, sockets: Sequence[str]) -> int:
    AutogradeApp.clear_instance()
    application = AutogradeApp.instance()
    try:
        application.initialize([assignment, *sockets])
        application.start()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


if __name__ == "__main__":
    main(sys.argv[1:])
