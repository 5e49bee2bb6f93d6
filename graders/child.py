"""A child process to grade in: whatever a submission does to it, the worker lives on and learns the end."""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from time import monotonic
from typing import Literal

from course.api import FeedbackDocument
from graders.autograde import Ungradable
from graders.sandbox.provisioner import remove_kernel_folders

POLL_SECONDS = 0.25
_PR_SET_PDEATHSIG = 1
_fork = multiprocessing.get_context("fork")
_log = logging.getLogger("spoc.worker")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a child process."""

    kind: Literal["done", "refused", "crashed", "timeout", "stopped"]
    document: FeedbackDocument | None = None
    problem: str = ""


def in_child(grade: Callable[[], FeedbackDocument], seconds: int, stop: threading.Event) -> Outcome:
    """Run `grade` in a child process for at most `seconds`, or until `stop`."""
    receiver, sender = _fork.Pipe(duplex=False)
    child = _fork.Process(target=_send_outcome, args=(grade, sender))
    child.start()
    sender.close()
    deadline = monotonic() + seconds
    try:
        while not receiver.poll(POLL_SECONDS):
            if stop.is_set():
                return Outcome("stopped")
            if monotonic() > deadline:
                return Outcome("timeout")
        outcome: Outcome = receiver.recv()
    except EOFError:
        outcome = Outcome("crashed")
    finally:
        child.kill()
        child.join()
        remove_kernel_folders(child.pid or 0)
        receiver.close()
    return outcome


def _send_outcome(grade: Callable[[], FeedbackDocument], sender: Connection) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    # Without its worker it would go on, and hold the lock, while the next worker grades the same.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        outcome = Outcome("done", document=grade())
    except Ungradable as refused:
        outcome = Outcome("refused", problem=str(refused))
    # The border of the process: what went wrong is told, not raised into nothing.
    except Exception as error:
        _log.exception("grading stopped")
        outcome = Outcome("crashed", problem=f"{type(error).__name__}: {error}")
    sender.send(outcome)
