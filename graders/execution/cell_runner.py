"""Runs the cells of one notebook one after another, whatever runs them."""

from __future__ import annotations

from time import monotonic
from typing import Protocol

from nbformat import NotebookNode

from graders.execution.conversation import Ran, Stopped
from graders.execution.outputs import NotebookOutputs
from graders.execution.results import RunLimits
from graders.execution.status import KERNEL_DIED, NOT_RUN, OUT_OF_TIME, RunStatus, fault

DIED_BETWEEN = "The kernel stopped working between two cells."


class Talk(Protocol):
    """A process that runs cells."""

    def run(self, source: str, cell: str, seconds: float, outputs: NotebookOutputs) -> Ran:
        """Run a cell; see `Conversation.run`."""


class CellRunner:
    """Runs cells one after another, each for a bounded time.

    Once the process is gone or time is up, every cell that follows gets an error: no test passes unrun.

    Attributes:
        status: `ok`, or what stopped the process.
    """

    def __init__(self, talk: Talk, limits: RunLimits) -> None:
        self.status: RunStatus = "ok"
        self._talk = talk
        self._limits = limits
        self._outputs = NotebookOutputs()
        self._over = ""
        self._cells = 0
        self.start_clock()

    def start_clock(self) -> None:
        """Count the notebook's time from now on."""
        self._deadline = monotonic() + self._limits.notebook_seconds

    @property
    def is_over(self) -> bool:
        """Whether no cell can be run any more."""
        return bool(self._over)

    @property
    def not_run(self) -> NotebookNode:
        """What stands in a cell that cannot be run any more."""
        return fault(NOT_RUN, f"Not run. {self._over or DIED_BETWEEN}")

    def run(self, cell: NotebookNode, source: str) -> RunStatus:
        """Run `source` and put what comes of it into `cell`; return how that went."""
        cell.outputs = []
        cell.execution_count = None
        if not source.strip():
            return "ok"
        left = self._deadline - monotonic()
        if not self._over and left <= 0:
            self._over = f"The notebook took longer than {self._limits.notebook_seconds:g} seconds."
            self.status = "time"
        if self._over:
            cell.outputs.append(self.not_run)
            return self.status
        self._outputs.begin(cell.outputs)
        self._cells += 1
        seconds = min(left, self._limits.cell_seconds)
        try:
            ran = self._talk.run(source, f"cell-{self._cells}", seconds, self._outputs)
        except Stopped as stopped:
            self.status, self._over = stopped.status, stopped.reason
            name = OUT_OF_TIME if stopped.status == "time" else KERNEL_DIED
            cell.outputs.insert(0, fault(name, stopped.reason))
            return self.status
        cell.execution_count = ran.execution_count
        return ran.status
