"""How a run went, in words that the whole course uses, and what stands in a cell that could not be run."""

from __future__ import annotations

from typing import Literal

from nbformat import NotebookNode
from nbformat.v4 import new_output

RunStatus = Literal["ok", "failed", "runtime-error", "signal", "time", "memory", "output", "infrastructure"]
"""Of a test: it passed (perhaps in part), its check failed, or what kept it from a result. Of a notebook: all
tests are ok, one is not, or what stopped the process that ran the cells. `infrastructure` is no learner's
fault: it is tried again and costs no point."""

KERNEL_DIED = "KernelDied"
OUT_OF_TIME = "OutOfTime"
NOT_RUN = "NotRun"
NO_RESULT = "NoResult"
TRUNCATED = "\n... Output truncated ...\n"


class InfrastructureFault(Exception):
    """The platform failed a submission, which can be graded later as if nothing had been."""


def fault(name: str, message: str) -> NotebookNode:
    """Return an error output that no code raised; with it first, nbgrader gives no point for the cell."""
    return new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])
