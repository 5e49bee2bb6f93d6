"""What one learner waits for and weighs: server start, submit to visible feedback, memory.

Peers: JupyterHub's stock single-user server started without a sandbox; `nbgrader autograde` and
`nbgrader generate_feedback` as a trainer would run them on the same submission.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx

from benchmarks.figures import Figure, Figures, run
from benchmarks.memory import command_line, descendants, proportional_mib
from course.api import Receipt, SubmissionStatus
from course.manifest import read_course
from course.state import StateFolder
from graders.authoring.build import CONFIG_FILE
from hub_config.demo import prepare_demo
from hub_config.hub_process import running_hub
from hub_config.runtime import free_port
from hub_config.settings import Settings, write_settings
from tests.course_hub import CourseHub, CourseMember
from tests.handing_in import tar_of
from tests.waiting import wait_until

LEARNER = "ada"
SERVICE = "/services/course/api/"
START_SECONDS = 120
FEEDBACK_SECONDS = 300
REPEATS = 3


def measure(quick: bool) -> Figures:
    """Measure on a demo of its own in a temporary folder; medians of the repetitions."""
    repeats = 1 if quick else REPEATS
    with tempfile.TemporaryDirectory(prefix="spoc-bench-") as folder:
        state = StateFolder(Path(folder) / "state")
        settings = prepare_demo(state, free_port())
        write_settings(state, settings)
        module = read_course(settings.modules_dir).modules[0]
        answers = state.course_dir / "source" / module
        with running_hub(state, settings) as process:
            hub = CourseHub(state, settings)
            learner = hub.member(LEARNER)
            starts, stock_starts = [], []
            for _ in range(repeats):
                starts.append(_server_start(learner))
                stock_starts.append(_stock_server_start(settings, Path(folder)))
            learner.run("import numpy, pandas; spoc")
            memory = _server_memory(process.pid)
            if not quick:
                _submit_to_feedback(learner, module, answers)  # the worker's first one warms it
            feedback = [_submit_to_feedback(learner, module, answers) for _ in range(repeats)]
            hub.close()
        stock_feedback = [_stock_feedback(state.course_dir, Path(folder), module) for _ in range(repeats)]
    return {
        "server_start": Figure(median(starts), "s", "<= 5", median(stock_starts)),
        "submit_to_feedback": Figure(median(feedback), "s", "<= 10", median(stock_feedback)),
        "learner_memory": Figure(memory, "MiB", "<= 250"),
    }


def _server_start(learner: CourseMember) -> float:
    """Return the seconds from asking the hub for a server until it answers through the proxy."""
    if learner.servers():
        learner.stop_server()
    with _timed() as seconds:
        learner.client.post(f"/hub/api/users/{LEARNER}/server").raise_for_status()
        wait_until(lambda: learner.client.get(f"/user/{LEARNER}/api/status").is_success, START_SECONDS)
    return seconds()


def _stock_server_start(settings: Settings, folder: Path) -> float:
    port = free_port()
    home = folder / "stock-home"
    home.mkdir(exist_ok=True)
    environment = {
        "PATH": _path(),
        "HOME": str(home),
        "JUPYTERHUB_USER": LEARNER,
        "JUPYTERHUB_API_URL": f"{settings.url}/hub/api",
        "JUPYTERHUB_API_TOKEN": "0" * 32,
        "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-stock",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/stock/",
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}/user/stock/",
    }
    command = [sys.executable, "-m", "jupyterhub.singleuser", "--allow-root", "--ServerApp.log_level=ERROR"]
    with _timed() as seconds, subprocess.Popen(command, env=environment, cwd=home, stdout=2) as process:
        try:
            wait_until(lambda: _answers(f"http://127.0.0.1:{port}/user/stock/api"), START_SECONDS)
            return seconds()
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def _server_memory(hub_pid: int) -> float:
    """Return the memory of the one running server with everything below it, in MiB."""
    server = next(pid for pid in descendants(hub_pid) if "extensions.server" in command_line(pid))
    return proportional_mib(iter([server, *descendants(server)]))


def _submit_to_feedback(learner: CourseMember, module: str, folder: Path) -> float:
    """Return the seconds from sending a submission until its feedback can be read."""
    archive = tar_of(folder).getvalue()
    with _timed() as seconds:
        reply = learner.client.post(f"{SERVICE}assignments/{module}/submissions", content=archive)
        receipt = Receipt.model_validate_json(reply.raise_for_status().text)
        status = _wait_until_graded(learner, receipt)
        learner.client.get(f"{SERVICE}submissions/{receipt.submission}/feedback").raise_for_status()
    if status.state != "graded":
        raise RuntimeError(f"the submission was not graded: {status.problem}")
    return seconds()


def _wait_until_graded(learner: CourseMember, receipt: Receipt) -> SubmissionStatus:
    def status() -> SubmissionStatus:
        reply = learner.client.get(f"{SERVICE}submissions/{receipt.submission}").raise_for_status()
        return SubmissionStatus.model_validate_json(reply.text)

    wait_until(lambda: status().state in {"graded", "failed"}, FEEDBACK_SECONDS)
    return status()


def _stock_feedback(course_dir: Path, folder: Path, module: str) -> float:
    """Return the seconds that nbgrader's own commands need in a copy of the course directory.

    The copy is without our configuration, which would put our steps and the sandbox into nbgrader's run. Its
    kernel is the stock one, too: ours would look for the course service, which no longer runs.
    """
    copy = folder / "stock-course"
    shutil.copytree(course_dir, copy, ignore=shutil.ignore_patterns(CONFIG_FILE))
    for made in ("submitted", "autograded", "feedback"):
        shutil.rmtree(copy / made, ignore_errors=True)
    shutil.copytree(copy / "source" / module, copy / "submitted" / LEARNER / module)
    environment = {"PATH": _path(), "HOME": str(folder), "LANG": os.environ.get("LANG", "C.UTF-8")}
    with _timed() as seconds:
        for step in (("autograde", "--Execute.kernel_name=python3"), ("generate_feedback",)):
            subprocess.run(
                ["nbgrader", *step, module, "--student", LEARNER, "--Application.log_level=ERROR"],
                cwd=copy,
                env=environment,
                stdout=subprocess.DEVNULL,
                timeout=FEEDBACK_SECONDS,
                check=True,
            )
    shutil.rmtree(copy)
    return seconds()


def _path() -> str:
    return os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])


@contextmanager
def _timed() -> Iterator[Callable[[], float]]:
    """Give a function for the seconds since the block was entered, which stops when it is left."""
    start = time.perf_counter()
    end: list[float] = []
    yield lambda: (end[0] if end else time.perf_counter()) - start
    end.append(time.perf_counter())


if __name__ == "__main__":
    run(measure)
