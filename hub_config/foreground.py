"""A hub in the foreground of a terminal: checked, started, announced, and stopped with all it started."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from course.errors import CourseError
from course.state import StateFolder
from graders.sandbox.selftest import check_sandbox
from hub_config.hub_process import log_path, running_hub
from hub_config.settings import Settings

PR_SET_CHILD_SUBREAPER = 36
BURY_SECONDS = 5
POLL_SECONDS = 0.05


class _ToldToStop(BaseException):
    """Ctrl-C or SIGTERM."""


def run_until_told(state: StateFolder, settings: Settings, announce: Callable[[], None]) -> None:
    """Run the hub until Ctrl-C or SIGTERM; call `announce` once it answers.

    Raises:
        SandboxUnavailable: This machine cannot isolate learner code; nothing was started.
        Conflict: A hub runs on `state` already, or the port is taken.
        CourseError: The hub ended by itself.
    """
    check_sandbox()
    _adopt_orphans()
    with _told_to_stop(), running_hub(state, settings) as hub:
        announce()
        status = _wait(hub)
        raise CourseError(f"The hub ended by itself (status {status}).", f"Its log is {log_path(state)}")
    _bury_orphans()


def _adopt_orphans() -> None:
    # What a killed sandbox leaves would go to the machine's first process, which in a container may never
    # take note of its end.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait(hub: subprocess.Popen[bytes]) -> int:
    """Return the hub's exit status once it ends; take note of every orphan that ends before."""
    while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)) and ended.si_pid != hub.pid:
        os.waitpid(ended.si_pid, 0)
    return hub.wait()


def _bury_orphans() -> None:
    deadline = time.monotonic() + BURY_SECONDS
    while time.monotonic() < deadline:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            time.sleep(POLL_SECONDS)


@contextmanager
def _told_to_stop() -> Iterator[None]:
    """Leave the block without an error when told to stop; to be told again changes nothing."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in handlers:
            signal.signal(number, signal.SIG_IGN)
        raise _ToldToStop

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    for number in handlers:
        signal.signal(number, stop)
    try:
        yield
    except _ToldToStop:
        pass
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
