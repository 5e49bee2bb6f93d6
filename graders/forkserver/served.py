"""The process that a run is started for, from the fork on: confines itself, says so, and serves.

Confined, it is the second process of a process namespace; the fork server holds the first one. Without a
sandbox a parent of its own collects what it leaves behind.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Literal, NoReturn

from graders.forkserver.channel import Channel, ChannelClosed
from graders.forkserver.confinement import HOME, Confinement, Walls, close_all_but, limit_process
from graders.forkserver.limits import ExitStatus, ProcessLimits
from graders.forkserver.system_calls import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, process_control

TELL_SECONDS = 5
_SHORT_OF = frozenset({errno.EAGAIN, errno.ENOMEM, errno.ENOSPC})
"""Processes, memory, namespaces, disk: for the moment, as the fork server has tried itself at its start."""


class _ShallEnd(BaseException):
    """The fork server is gone, or wants this run to end."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a process does that a run is started for."""

    action: Callable[[], None]
    """Returns when the process shall end. What it raises ends the process with code 1."""
    descriptors: tuple[int, ...]
    """What it keeps open beside 0, 1 and 2."""


def serve_confined(connection: Channel, service: Service, confinement: Confinement, walls: Walls) -> NoReturn:
    """Serve within walls; to be called in a process that was just forked.

    Args:
        connection: To the grader, who is told that the walls stand, or why they do not.
        service: What to do then.
        confinement: What puts up the walls.
        walls: What is special to this run.
    """
    close_all_but((connection.fileno(), *service.descriptors))
    try:
        _open_standard_streams()
        confinement.enter(walls)
    except OSError as error:
        tell(connection, {why_not(error): f"A forked process cannot be confined: {error}"})
        os._exit(1)
    _tell_start(connection, os.getpid())
    connection.close()
    os._exit(_serve(service, HOME))


def _open_standard_streams() -> None:
    """Open 0, 1 and 2 anew: what all children inherit, its flags too, carries messages between them."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)


def serve_unconfined(connection: Channel, service: Service, limits: ProcessLimits | None) -> NoReturn:
    """Serve in a child without any wall, and end all that is left of it on SIGTERM.

    Args:
        connection: To the grader, who is told how the child starts and ends.
        service: What it does.
        limits: Of each process, which starts in a folder of its own then that is gone afterwards. None for
            what is not to be held at all, such as the kernel of somebody's own notebook.
    """
    close_all_but((connection.fileno(), *service.descriptors))
    signal.signal(signal.SIGTERM, _end)
    process_control(PR_SET_CHILD_SUBREAPER, 1)
    process_control(PR_SET_PDEATHSIG, signal.SIGTERM)
    own = None if limits is None else Path(tempfile.mkdtemp(prefix="spoc-run-"))
    try:
        if limits is not None:
            limit_process(limits)
        if own is not None:
            os.environ["HOME"] = str(own)
        pid = os.fork()
        if pid == 0:
            connection.close()
            os._exit(_serve(service, str(own or "/")))
        _tell_start(connection, pid)
        for descriptor in service.descriptors:
            os.close(descriptor)
        _reap(connection, pid)
    except _ShallEnd:
        _kill_children()
    finally:
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)
        os._exit(0)


def why_not(error: OSError) -> Literal["busy", "refused"]:
    """Return whether there is no process now, or whether this machine gives none that is confined."""
    return "busy" if error.errno in _SHORT_OF else "refused"


def tell(connection: Channel, message: dict[str, object], fds: tuple[int, ...] = ()) -> None:
    """Tell the grader; one that has gone needs not be told, as its run is ended then."""
    with contextlib.suppress(ChannelClosed, TimeoutError):
        connection.send(message, fds=fds, timeout=TELL_SECONDS)


def tell_end(connection: Channel, wait_status: int) -> None:
    """Tell the grader how the process ended, from what `waitpid` returned."""
    code = os.waitstatus_to_exitcode(wait_status)
    status = ExitStatus(code, None) if code >= 0 else ExitStatus(None, -code)
    tell(connection, {"code": status.code, "signal": status.signal})


def _tell_start(connection: Channel, pid: int) -> None:
    descriptor = os.pidfd_open(pid)
    tell(connection, {"started": pid}, (descriptor,))
    os.close(descriptor)


def _serve(service: Service, folder: str) -> int:
    """Serve, and return the exit code."""
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.chdir(folder)
        _draw_other_random_numbers()
        gc.enable()
        service.action()
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
                tell_end(connection, status)


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
