"""Grades on the workers of a Dask scheduler: other processes, or other machines without a disk in common.

What a lost worker was grading is graded by another.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

import cloudpickle
from distributed import Client, Future, Worker, WorkerPlugin, get_worker

from graders.engine.attempts import grade_patiently
from graders.engine.plan import AssignmentPlan
from graders.engine.pool import Done
from graders.engine.results import GradedSubmission, SubmissionContent
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent

CONNECT_SECONDS = 15
AT_ONCE = 3
"""Submissions on their way for each thread of the cluster, so that none waits for the next."""
_LIVES = 3


class WarmWorker(WorkerPlugin):
    """Keeps a fork server on each worker, for one run of grading: others may use the same workers."""

    def __init__(self, environment: WarmEnvironment, *, unsafe_no_sandbox: bool) -> None:
        self._environment = environment
        self._unsafe_no_sandbox = unsafe_no_sandbox
        self.name = f"spoc-grading-{uuid4()}"

    def setup(self, worker: Worker) -> None:
        self.warm = WarmParent(self._environment, unsafe_no_sandbox=self._unsafe_no_sandbox)
        self.warm.ensure_running()

    def teardown(self, worker: Worker) -> None:
        self.warm.close()


class ClusterGraders:
    """Grades submissions of one assignment on a cluster.

    Args:
        client: Connected to the scheduler.
        plugin: Name of the `WarmWorker` that its workers have.
        plan: How the assignment is graded.
        course_dir: Its modules are not installed on the workers, and go with the plan.
    """

    def __init__(self, client: Client, plugin: str, plan: AssignmentPlan, course_dir: Path) -> None:
        self._client = client
        self._plugin = plugin
        # A task, not data: when the worker that has it is lost, another one does it again.
        self._plan = client.submit(pickle.loads, _portable(plan, course_dir), pure=False)
        self._contents: dict[Future[Any], SubmissionContent] = {}
        self._finished = SimpleQueue[Future[Any]]()

    @property
    def has_room(self) -> bool:
        return len(self._contents) < AT_ONCE * max(1, sum(self._client.nthreads().values()))

    @property
    def is_idle(self) -> bool:
        return not self._contents

    def put(self, task: SubmissionContent) -> None:
        future = self._client.submit(_grade, self._plugin, self._plan, task, pure=False, retries=_LIVES)
        self._contents[future] = task
        future.add_done_callback(self._finished.put)

    def done(self, timeout: float | None = None) -> tuple[Done[SubmissionContent, GradedSubmission], ...]:
        """Return what has come of submissions since, after at most `timeout` seconds."""
        if self.is_idle:
            return ()
        try:
            future = self._finished.get(timeout=timeout)
        except Empty:
            return ()
        content = self._contents.pop(future)
        error = future.exception()
        if error is not None:
            return (Done(content, kind="failed", problem=f"{type(error).__name__}: {error}"),)
        return (Done(content, future.result()),)


@contextmanager
def cluster_graders(
    scheduler: str,
    plan: AssignmentPlan,
    environment: WarmEnvironment,
    course_dir: Path,
    *,
    unsafe_no_sandbox: bool,
) -> Iterator[ClusterGraders]:
    """Give graders on the workers of a scheduler.

    Args:
        scheduler: Its address, as Dask takes it.
        plan: How the assignment is graded.
        environment: What the workers import before they fork.
        course_dir: See `ClusterGraders`.
        unsafe_no_sandbox: Whether learner code is run without any wall.
    """
    with Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False) as client:
        plugin = WarmWorker(environment, unsafe_no_sandbox=unsafe_no_sandbox)
        client.register_plugin(plugin)
        try:
            yield ClusterGraders(client, plugin.name, plan, course_dir)
        finally:
            client.unregister_worker_plugin(plugin.name)


def _grade(name: str, plan: AssignmentPlan, content: SubmissionContent) -> GradedSubmission:
    """Return what a submission gets; runs on a worker."""
    plugin: Any = get_worker().plugins[name]
    return grade_patiently(plan, content, plugin.warm, is_shown=False)


def _portable(plan: AssignmentPlan, course_dir: Path) -> bytes:
    """Return the plan with the code of all that comes from the course directory."""
    for module in tuple(sys.modules.values()):
        file = Path(getattr(module, "__file__", None) or os.devnull).resolve()
        if file.is_relative_to(course_dir.resolve()) and not file.is_relative_to(sys.prefix):
            cloudpickle.register_pickle_by_value(module)
    return bytes(cloudpickle.dumps(plan))
