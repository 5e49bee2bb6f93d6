"""The hub of one deployment as a process: one at a time, ready or not started, gone with all it started."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx

from course.database import Database
from course.errors import Conflict, CourseError
from course.state import StateFolder
from graders.sandbox.bubblewrap import SETPRIV
from hub_config.log_rotation import bounded_log
from hub_config.runtime import is_free, prepare_runtime_folder, runtime_folder
from hub_config.settings import Settings, read_settings, write_settings

CONFIG_FILE = Path(__file__).parent / "jupyterhub_config.py"
READY_SECONDS = 60
STOP_SECONDS = 60
POLL_SECONDS = 0.1
LOG_LINES_SHOWN = 15


def log_path(state: StateFolder) -> Path:
    return state.hub_dir / "hub.log"


@contextmanager
def running_hub(state: StateFolder, settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Run the hub while the block runs; on leaving, stop it with proxy, services and every member's server.

    The hub answers when the block is entered. Its processes read the settings from the state folder, so
    `settings` that differ are kept there, but only when nothing stands in the way of the start.

    Raises:
        Conflict: It runs already, its port is taken, or a newer release has used the database.
        CourseError: It ended while it started; the end of its log is in the text.
    """
    os.umask(0o022)
    for folder in (state.root, state.hub_dir):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _only_one(state), bounded_log(log_path(state)) as log:
        if not is_free(settings.port):
            raise Conflict(
                f"Port {settings.port} is taken by another program.", "Choose another one with --port."
            )
        # Brought up to date, or refused, here: the hub would only end with a traceback in its log.
        Database(state.database_url).close()
        if settings != read_settings(state):
            write_settings(state, settings)
        runtime = runtime_folder(state)
        prepare_runtime_folder(runtime)
        # Left by a hub that was killed.
        for socket in (runtime.proxy_api_socket, runtime.hub_socket, runtime.course_socket):
            socket.unlink(missing_ok=True)
        process = _start(state, log)
        try:
            _wait_until_ready(process, settings, state)
            yield process
        finally:
            if _stop(process):
                shutil.rmtree(runtime.root)


def refuse_a_second(state: StateFolder) -> None:
    """Return when no hub runs on `state`.

    Raises:
        Conflict: One does.
    """
    if state.hub_dir.exists():
        with _only_one(state):
            pass


def _start(state: StateFolder, log: IO[bytes]) -> subprocess.Popen[bytes]:
    # nbgrader calls `alembic` by its bare name.
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    # Its own session: Ctrl-C in the terminal reaches this process alone, which then stops the hub in order.
    return subprocess.Popen(
        [
            SETPRIV,
            "--pdeathsig",
            "TERM",
            "--",
            sys.executable,
            "-P",
            "-m",
            "jupyterhub",
            "-f",
            str(CONFIG_FILE),
        ],
        env={**os.environ, "PATH": path, "SPOC_STATE_DIR": str(state.root)},
        cwd=state.hub_dir,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )


def _wait_until_ready(process: subprocess.Popen[bytes], settings: Settings, state: StateFolder) -> None:
    deadline = time.monotonic() + READY_SECONDS
    hub_socket = runtime_folder(state).hub_socket
    # The hub first: the proxy, up before it, writes an error into the log for each early question.
    for is_ready in (hub_socket.exists, lambda: _is_healthy(settings.port)):
        while not is_ready():
            if process.poll() is not None:
                raise _not_started("The hub ended while it started", state)
            if time.monotonic() > deadline:
                raise _not_started(f"The hub did not answer within {READY_SECONDS} s", state)
            time.sleep(POLL_SECONDS)


def _is_healthy(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/hub/health").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _not_started(problem: str, state: StateFolder) -> CourseError:
    return CourseError(f"{problem}:\n{_end_of_log(state)}", f"The whole log is {log_path(state)}")


def _stop(process: subprocess.Popen[bytes]) -> bool:
    """Whether the hub stopped in good order; a hub that did not leaves members' servers to the next one."""
    if process.poll() is not None:
        return False
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


@contextmanager
def _only_one(state: StateFolder) -> Iterator[None]:
    with (state.hub_dir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                f"A hub already runs on {state.root}.",
                "Use that one, end it first, or choose another folder with --state-dir.",
            ) from error
        yield


def _end_of_log(state: StateFolder) -> str:
    lines = log_path(state).read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-LOG_LINES_SHOWN:])
