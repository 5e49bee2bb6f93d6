"""A fork server that is kept warm for whatever assignment comes next."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Self

from graders.engine.plan import AssignmentPlan
from graders.engine.warm import environment_of, joined
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent

_log = logging.getLogger("spoc.engine")


class Standby:
    """Keeps one fork server that suits all assignments met so far, and former ones while they are used."""

    def __init__(self) -> None:
        self.environment = WarmEnvironment()
        self._current: WarmParent | None = None
        self._former: list[WarmParent] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.retire()
        if self._current is not None:
            self._current.close()

    def warm_for(self, *plans: AssignmentPlan) -> WarmParent:
        """Return a fork server that runs and suits these assignments.

        Raises:
            SandboxUnavailable: This machine cannot isolate learner code.
        """
        wanted = joined(self.environment, environment_of(*plans))
        if self._current is None or wanted != self.environment:
            started = WarmParent(wanted)
            try:
                started.ensure_running()
            except BaseException:
                started.close()
                raise
            if self._current is not None:
                self._former.append(self._current)
            self.environment, self._current = wanted, started
        self._current.ensure_running()
        return self._current

    def retire(self) -> None:
        """End the former fork servers; only while nothing is graded."""
        for former in self._former:
            former.close()
        self._former.clear()
