"""The grading worker as a process: told to stop, killed, and never two at a time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from course.submissions import Submission
from hub_config.settings import SAMPLE_MODULES_DIR
from tests.handing_in import Deploy, Deployment, edited, with_code
from tests.processes import descendants
from tests.waiting import wait_until

SLOW = "import time; time.sleep(5)"


@pytest.fixture(scope="module")
def deployment(deploy: Deploy) -> Deployment:
    return deploy("ada,Ada,,learner", "tia,Tia,,trainer")


@contextmanager
def running_worker(deployment: Deployment) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "graders.worker", "--state-dir", str(deployment.state.root)]
    with subprocess.Popen(
        [*command, "--modules-dir", str(SAMPLE_MODULES_DIR)], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def slow(deployment: Deployment, tmp_path: Path) -> Submission:
    folder = edited(deployment.source_dir, tmp_path / "slow", with_code(SLOW))
    return deployment.hand_in("ada", folder)


def test_a_stopped_worker_leaves_its_submission_to_the_next(deployment: Deployment, slow: Submission) -> None:
    with running_worker(deployment) as worker:
        wait_until(lambda: deployment.now(slow).state == "grading")
        worker.terminate()
        assert worker.wait(30) == 0
    left = deployment.now(slow)
    assert (left.state, left.claims) == ("received", 0), "being told to stop is not a failure"


def test_what_a_killed_worker_was_grading_is_graded_by_the_next(
    deployment: Deployment, slow: Submission
) -> None:
    with running_worker(deployment) as worker:
        wait_until(lambda: deployment.now(slow).state == "grading")
        started = descendants(worker.pid)
        assert started
        worker.kill()
        worker.wait(30)
    wait_until(lambda: not any(Path(f"/proc/{process}").exists() for process in started))
    with running_worker(deployment):
        wait_until(lambda: deployment.now(slow).state == "graded", 120)
    assert deployment.now(slow).claims == 2


def test_a_second_worker_refuses_to_start(deployment: Deployment) -> None:
    locks = deployment.state.course_dir / ".grading" / "locks"
    locks.unlink(missing_ok=True)
    with running_worker(deployment) as first:
        # Made by whoever has just got the right to grade.
        wait_until(locks.exists)
        with running_worker(deployment) as second:
            _, complaint = second.communicate(timeout=30)
            assert second.returncode != 0
            assert "Another worker grades this course already." in complaint
        assert first.poll() is None
