"""Processes that work side by side, forked from this one so that they have what it has imported.

Whatever a task does to its process, killing it included, the others go on; the task is done again by another.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import resource
import signal
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

from graders.sandbox.folders import remove_folders

T = TypeVar("T")
R = TypeVar("R")

LIVES = 5
PAUSE_SECONDS = 0.2
"""Before a task whose process has died is done again, then twice as long each time: what kills may go on."""
MEMORY_BYTES = 4 << 30
"""Of a process: what a hostile kernel sends must not take the memory of the whole machine."""
_PR_SET_PDEATHSIG = 1
_END = object()
_fork = multiprocessing.get_context("fork")
_log = logging.getLogger("spoc.engine")


@dataclass(frozen=True, slots=True)
class Done(Generic[T, R]):
    """What came of a task: a result, or why there is none."""

    task: T
    result: R | None = None
    kind: Literal["done", "failed", "died", "late"] = "done"
    problem: str = ""


@dataclass(slots=True)
class _Job(Generic[T]):
    task: T
    lives: int
    pause: float = PAUSE_SECONDS
    begins: float = 0.0
    """By the clock of `monotonic`."""


@dataclass(slots=True)
class _Worker(Generic[T]):
    process: BaseProcess
    pipe: Connection
    jobs: deque[_Job[T]] = field(default_factory=deque)
    """What was sent to it: the one that it does, then those that it does next."""
    deadline: float | None = None


@dataclass(slots=True)
class _Answer(Generic[R]):
    result: R | None = None
    problem: str = ""


class Pool(Generic[T, R]):
    """Runs `work` for tasks, up to `size` at a time; to be used by one thread.

    Args:
        work: Runs in a forked process; takes and returns what can be pickled.
        size: Number of processes.
        task_seconds: Time for one task, after which its process is killed; None for no limit.
        lives: Processes that may die of one task before it is given up: it may be what kills them.
        ahead: Tasks that each process has beside the one that it does, so that it need not wait for a user
            who does something else between two calls.
    """

    def __init__(
        self,
        work: Callable[[T], R],
        size: int,
        task_seconds: float | None = None,
        lives: int = LIVES,
        ahead: int = 0,
    ) -> None:
        self._work = work
        self._size = size
        self._task_seconds = task_seconds
        self._lives = lives
        self._each = 1 + ahead
        self._waiting: deque[_Job[T]] = deque()
        self._paused: list[_Job[T]] = []
        self._workers: list[_Worker[T]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in tuple(self._workers):
            self._bury(worker)
        self._waiting.clear()
        self._paused.clear()

    @property
    def has_room(self) -> bool:
        """Whether a task that is put now goes to a process at once."""
        return (
            len(self._waiting) + sum(len(worker.jobs) for worker in self._workers) < self._size * self._each
        )

    @property
    def is_idle(self) -> bool:
        return not (self._waiting or self._paused or any(worker.jobs for worker in self._workers))

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that are there now."""
        return tuple(worker.process.pid or 0 for worker in self._workers)

    def put(self, task: T) -> None:
        """Have a task done; `done` gives what came of it."""
        self._waiting.append(_Job(task, self._lives))
        self._hand_out()

    def done(self, timeout: float | None = None) -> tuple[Done[T, R], ...]:
        """Return what has come of tasks since, after at most `timeout` seconds; empty if nothing has."""
        until = None if timeout is None else monotonic() + timeout
        while not self.is_idle:
            ends = [end for end in (until, *self._times()) if end is not None]
            seconds = max(0.0, min(ends) - monotonic()) if ends else None
            busy = {worker.pipe: worker for worker in self._workers if worker.jobs}
            ready = wait(list(busy), seconds)
            found = [each for pipe in ready for each in self._collect(busy[pipe])]  # type: ignore[index]
            found += [each for worker in tuple(self._workers) for each in self._stop_late(worker)]
            self._hand_out()
            if found or (until is not None and monotonic() >= until):
                return tuple(found)
        return ()

    def _times(self) -> Iterator[float | None]:
        """Yield when there is something to do though nobody answers."""
        yield from (worker.deadline for worker in self._workers)
        yield from (job.begins for job in self._paused)

    def _hand_out(self) -> None:
        now = monotonic()
        self._waiting.extendleft(job for job in self._paused if job.begins <= now)
        self._paused = [job for job in self._paused if job.begins > now]
        while self._waiting:
            worker = min(self._workers, key=lambda worker: len(worker.jobs), default=None)
            if worker is None or (worker.jobs and len(self._workers) < self._size):
                worker = self._start()
            if len(worker.jobs) >= self._each:
                return
            job = self._waiting.popleft()
            try:
                worker.pipe.send(job.task)
            except OSError:
                self._waiting.appendleft(job)
                if worker.jobs:
                    # `done` will meet its end, and count whose it was.
                    return
                self._bury(worker)
                continue
            worker.jobs.append(job)
            if len(worker.jobs) == 1:
                self._start_clock(worker)

    def _start_clock(self, worker: _Worker[T]) -> None:
        if self._task_seconds is not None:
            worker.deadline = monotonic() + self._task_seconds if worker.jobs else None

    def _start(self) -> _Worker[T]:
        ours, theirs = _fork.Pipe()
        others = [worker.pipe for worker in self._workers]
        process = _fork.Process(
            target=_serve, args=(self._work, theirs, [ours, *others], os.getpid()), daemon=True
        )
        process.start()
        theirs.close()
        worker = _Worker[T](process, ours)
        self._workers.append(worker)
        return worker

    def _collect(self, worker: _Worker[T]) -> Iterator[Done[T, R]]:
        job = worker.jobs[0]
        try:
            answer: _Answer[R] = worker.pipe.recv()
        except (EOFError, OSError):
            worker.jobs.popleft()
            self._bury(worker)
            job.lives -= 1
            _log.warning("A grading process has died (%s).", worker.process.exitcode)
            if job.lives:
                job.begins, job.pause = monotonic() + job.pause, job.pause * 2
                self._paused.append(job)
            else:
                yield Done(job.task, kind="died", problem="The processes that graded it died.")
            return
        worker.jobs.popleft()
        self._start_clock(worker)
        yield Done(job.task, answer.result, "failed" if answer.problem else "done", answer.problem)

    def _stop_late(self, worker: _Worker[T]) -> Iterator[Done[T, R]]:
        if worker.jobs and worker.deadline is not None and monotonic() > worker.deadline:
            job = worker.jobs.popleft()
            worker.process.kill()
            self._bury(worker)
            problem = f"It took longer than {self._task_seconds:g} seconds."
            yield Done(job.task, kind="late", problem=problem)

    def _bury(self, worker: _Worker[T]) -> None:
        """Have what it was to do next done by another."""
        self._workers.remove(worker)
        self._waiting.extendleft(reversed(worker.jobs))
        worker.pipe.close()
        worker.process.join()
        assert worker.process.pid is not None
        remove_folders(worker.process.pid)


def _serve(work: Callable[[Any], Any], pipe: Connection, others: list[Connection], parent: int) -> None:
    # Who started it decides what an interrupt ends; without it, there is nobody to work for.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    bound = MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MEMORY_BYTES, most)
    resource.setrlimit(resource.RLIMIT_AS, (bound, most))
    for other in others:
        other.close()
    tasks = SimpleQueue[Any]()
    # Who sends the next task never waits for an answer to be read first.
    Thread(target=_receive, args=(pipe, tasks), daemon=True).start()
    while (task := tasks.get()) is not _END:
        try:
            answer = _Answer(work(task))
        # The border of the process: what went wrong is told.
        except Exception as error:
            _log.exception("a task failed")
            answer = _Answer(problem=f"{type(error).__name__}: {error}")
        pipe.send(answer)


def _receive(pipe: Connection, tasks: SimpleQueue[Any]) -> None:
    try:
        while True:
            tasks.put(pipe.recv())
    except EOFError:
        # Nobody is there any more to work for.
        pass
    finally:
        tasks.put(_END)
