"""A hub in the foreground of a terminal: checked, started, announced, and stopped with all it started."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from course.errors import CourseError
from course.state import StateFolder
from graders.sandbox.selftest import check_sandbox
from hub_config.hub_process import log_path, running_hub
from hub_config.settings import Settings, write_settings


class _ToldToStop(BaseException):
    """Ctrl-C or SIGTERM."""


def run_until_told(state: StateFolder, settings: Settings, announce: Callable[[], None]) -> None:
    """Run the hub until Ctrl-C or SIGTERM; call `announce` once it answers.

    Keeps `settings` in the state folder first, which is where the hub's own processes read them.

    Raises:
        SandboxUnavailable: This machine cannot isolate learner code; nothing was started.
        Conflict: A hub runs on `state` already, or the port is taken.
        CourseError: The hub ended by itself.
    """
    check_sandbox()
    state.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_settings(state, settings)
    with _told_to_stop(), running_hub(state, settings) as hub:
        announce()
        status = hub.wait()
        raise CourseError(f"The hub ended by itself (status {status}).", f"Its log is {log_path(state)}")


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
