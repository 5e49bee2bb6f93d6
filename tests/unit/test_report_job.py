"""A report is made in the background, once at a time, and a failure is told."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from hub_config.service.report_job import ReportJob

pytestmark = pytest.mark.quick

WRITE = "import sys, pathlib; pathlib.Path(sys.argv[1]).open('a').write('made ')"
PRINT_ENVIRONMENT = "import os, sys; sys.exit(' '.join(name for name in os.environ if 'JUPYTERHUB' in name))"


def step(job: ReportJob) -> str:
    return job.state.step


async def finished(job: ReportJob) -> None:
    async with asyncio.timeout(30):
        while step(job) == "running":
            await asyncio.sleep(0.01)


def job(path: Path, code: str) -> ReportJob:
    return ReportJob([sys.executable, "-c", code, str(path)], path)


async def test_before_the_first_run_there_is_none(tmp_path: Path) -> None:
    assert job(tmp_path / "report.html", WRITE).state.step == "none"


async def test_a_report_of_an_earlier_day_can_be_opened(tmp_path: Path) -> None:
    (tmp_path / "report.html").touch()
    assert job(tmp_path / "report.html", WRITE).state.step == "ready"


async def test_to_start_while_it_runs_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    made = job(path, WRITE)
    made.start()
    made.start()
    assert step(made) == "running"
    await finished(made)
    assert step(made) == "ready"
    assert made.state.made_at is not None
    assert path.read_text() == "made "


async def test_a_failure_says_what_the_command_said_and_keeps_the_report_before(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("before")
    made = job(path, "import sys; sys.exit('Error: module.yaml cannot be used')")
    made.start()
    await finished(made)
    assert (step(made), made.state.problem) == ("failed", "Error: module.yaml cannot be used")
    assert made.state.made_at is not None
    made.start()
    assert step(made) == "running"
    await finished(made)


async def test_the_hubs_tokens_do_not_go_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    made = job(tmp_path / "report.html", PRINT_ENVIRONMENT)
    made.start()
    await finished(made)
    assert "JUPYTERHUB" not in made.state.problem
