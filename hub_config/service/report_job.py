"""Makes a report in a process of its own, while the trainer's page waits for it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime

from course.api import Contract

RUN_SECONDS = 300
LONGEST_PROBLEM = 500

JobStep = Literal["none", "running", "ready", "failed"]


class ReportState(Contract):
    """What became of a report; `made_at` is that of the file that can be opened now."""

    step: JobStep
    made_at: AwareDatetime | None = None
    problem: str = ""


class ReportJob:
    """Runs `command`, which writes the file `path`; one run at a time."""

    def __init__(self, command: Sequence[str], path: Path) -> None:
        self._command = command
        self._path = path
        self._run: asyncio.Task[str] | None = None

    def start(self) -> None:
        """Begin a run; one that is under way already goes on."""
        if self._run is None or self._run.done():
            self._run = asyncio.get_running_loop().create_task(self._problem())

    @property
    def state(self) -> ReportState:
        """What became of it."""
        made_at = datetime.fromtimestamp(self._path.stat().st_mtime, UTC) if self._path.is_file() else None
        if self._run is not None and not self._run.done():
            return ReportState(step="running", made_at=made_at)
        problem = self._run.result() if self._run is not None else ""
        if problem:
            return ReportState(step="failed", made_at=made_at, problem=problem)
        return ReportState(step="ready" if made_at else "none", made_at=made_at)

    async def _problem(self) -> str:
        """Run the command; return what it says went wrong, empty when nothing did."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            # The hub's tokens are this service's own.
            env={name: value for name, value in os.environ.items() if not name.startswith("JUPYTERHUB_")},
        )
        try:
            _, errors = await asyncio.wait_for(process.communicate(), RUN_SECONDS)
        except TimeoutError:
            return f"The report was not ready after {RUN_SECONDS} seconds."
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == 0:
            return ""
        return (
            errors.decode(errors="replace").strip()[-LONGEST_PROBLEM:] or f"Exit code {process.returncode}."
        )


def cohort_report_job(state_dir: Path, path: Path) -> ReportJob:
    """Return the job that makes the cohort report of a deployment."""
    command = [sys.executable, "-P", "-m", "hub_config.cli", "report", "cohort"]
    return ReportJob([*command, "--state-dir", str(state_dir), "--output", str(path)], path)
