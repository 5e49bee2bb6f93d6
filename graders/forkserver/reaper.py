"""The first process of a run: confines itself, starts the process that serves, and outlives it.

It is what the run's other processes fall to when their parent ends, so copies that a learner's process made
of itself go on when that one dies. When it ends, all of them end.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from graders.forkserver.channel import Channel, ChannelClosed
from graders.forkserver.confinement import HOME, Confinement, close_all_but, limit_process
from graders.forkserver.limits import ProcessLimits
from graders.forkserver.system_calls import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    process_control,
)


class _ShallEnd(BaseException):
    """The fork server is gone, or wants this run to end."""


@dataclass(frozen=True, slots=True)
class Served:
    """What the process does that a run is started for."""

    action: Callable[[], None]
    """Returns when the process shall end. What it raises ends the process with code 1."""
    descriptors: tuple[int, ...]
    """What it keeps open beside 0, 1 and 2."""


def run_confined(
    connection: Channel, served: Served, confinement: Confinement, limits: ProcessLimits, uid: int | None
) -> NoReturn:
    """Be the first process of a process namespace; the fork server ends it by killing it.

    Args:
        connection: To the grader, who is told how the served process starts and ends.
        served: The process to start.
        confinement: What holds it.
        limits: Of each process.
        uid: See `Confinement.enter`.
    """
    close_all_but((connection.fileno(), *served.descriptors))
    try:
        confinement.enter(limits, uid)
    except OSError as error:
        _tell(connection, {"refused": f"A forked process cannot be confined: {error}"})
        os._exit(1)
    # A served process may be looked into, by its own kind: debuggers and `/proc/self` need it.
    pid = _start(connection, served, HOME, lambda: process_control(PR_SET_DUMPABLE, 1))
    _reap(connection, pid)
    os._exit(0)


def run_unconfined(
    connection: Channel, served: Served, limits: ProcessLimits | None, folder: Path | None
) -> NoReturn:
    """Be the parent of a run's processes without any wall; the fork server ends it by SIGTERM.

    Args:
        connection: As above.
        served: As above.
        limits: Of each process; None for no limit.
        folder: Where it starts; None for one of its own that is gone afterwards.
    """
    close_all_but((connection.fileno(), *served.descriptors))
    signal.signal(signal.SIGTERM, _end)
    process_control(PR_SET_CHILD_SUBREAPER, 1)
    process_control(PR_SET_PDEATHSIG, signal.SIGTERM)
    own = Path(tempfile.mkdtemp(prefix="spoc-run-")) if folder is None else None
    try:
        if limits is not None:
            limit_process(limits)
        if own is not None:
            os.environ["HOME"] = str(own)
        pid = _start(connection, served, str(own or folder), lambda: None)
        _reap(connection, pid)
    except _ShallEnd:
        _kill_children()
    finally:
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)
        os._exit(0)


def _start(connection: Channel, served: Served, folder: str, prepare: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        connection.close()
        os._exit(_serve(served, folder, prepare))
    descriptor = os.pidfd_open(pid)
    _tell(connection, {"started": pid}, [descriptor])
    for held in (descriptor, *served.descriptors):
        os.close(held)
    return pid


def _serve(served: Served, folder: str, prepare: Callable[[], None]) -> int:
    """Serve, and return the exit code."""
    try:
        prepare()
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.chdir(folder)
        _draw_other_random_numbers()
        gc.enable()
        served.action()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        return 1
    return 0


def _draw_other_random_numbers() -> None:
    # Python reseeds its own generator after a fork; all children would share this one.
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _reap(connection: Channel, served_pid: int) -> None:
    """Return when no process of the run is left."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == served_pid:
                code = os.waitstatus_to_exitcode(status)
                _tell(
                    connection,
                    {"code": code, "signal": None} if code >= 0 else {"code": None, "signal": -code},
                )


def _tell(connection: Channel, message: dict[str, object], fds: Iterable[int] = ()) -> None:
    # A grader that has gone needs not be told; the fork server ends the run then.
    with contextlib.suppress(ChannelClosed):
        connection.send(message, fds=tuple(fds))


def _end(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _ShallEnd


def _kill_children() -> None:
    """Kill all that descends from this process; orphans become its children and are killed in turn."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with contextlib.suppress(ChildProcessError):
        while True:
            for pid in children.read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            os.waitpid(-1, 0)
