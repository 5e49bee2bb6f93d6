"""A fork server that starts while the engine is imported: each takes a second, on a core of its own."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

from course.errors import SandboxUnavailable
from graders.engine.warm import environment_of_files
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent


class EarlyStart:
    """Starts a fork server for an assignment before its plan is read. Use it as a context manager.

    Args:
        course_dir: An nbgrader course directory.
        assignment: A name in it, perhaps.
        unsafe_no_sandbox: Whether learner code is run without any wall.
    """

    def __init__(self, course_dir: Path, assignment: str, *, unsafe_no_sandbox: bool) -> None:
        self._unsafe_no_sandbox = unsafe_no_sandbox
        self._environment = WarmEnvironment()
        with suppress(OSError, ValueError, AttributeError, TypeError):
            # Whatever is wrong with the notebooks, who reads the plan says so.
            self._environment = environment_of_files(course_dir, assignment)
        self._warm = self._parent(self._environment)
        self._starting = Thread(target=self._start, daemon=True)

    def __enter__(self) -> Self:
        self._starting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._starting.join()
        self._warm.close()

    def warm_for(self, environment: WarmEnvironment) -> WarmParent:
        """Return a fork server of that environment; it ends with this object.

        It may not run yet: `ensure_running` makes sure, and says why it does not.
        """
        self._starting.join()
        if environment != self._environment:
            self._warm.close()
            self._environment, self._warm = environment, self._parent(environment)
        return self._warm

    def _start(self) -> None:
        with suppress(SandboxUnavailable, OSError):
            # Who takes it starts it again, and is told.
            self._warm.ensure_running()

    def _parent(self, environment: WarmEnvironment) -> WarmParent:
        return WarmParent(environment, unsafe_no_sandbox=self._unsafe_no_sandbox)
