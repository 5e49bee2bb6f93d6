"""What is run, within which limits, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from nbformat import NotebookNode

from graders.execution.status import RunStatus
from graders.forkserver.limits import ProcessLimits

Trust = Literal["referee", "kernel"]
"""Where a test gets its result: in a process without learner code, or beside it, where it can be forged."""


@dataclass(frozen=True, slots=True)
class TestCell:
    """A test of the instructor's, as it is in the source notebook and as its learner may see it."""

    __test__ = False  # for pytest, which takes the name for a class of tests

    grade_id: str
    full: str
    visible: str
    """`full` without its hidden regions; the learner's process never meets anything else of it."""
    trust: Trust = "referee"
    at_end: bool = False
    """Whether a referee may judge it by the state in which the notebook ends, wherever that proves to be the
    same to it; the author's solution tells where to expect it."""
    in_sequence: bool = False
    """Whether a test of trust `kernel` needs what the hidden parts of others have done before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """The bounds of one notebook's run; `cell_output_bytes` and `cell_outputs` are what a cell may show."""

    cell_seconds: float = 30
    notebook_seconds: float = 150
    """For all cells together, without the tests that are judged afterwards."""
    cell_output_bytes: int = 1_000_000
    cell_outputs: int = 200
    process: ProcessLimits = field(default_factory=ProcessLimits)


@dataclass(frozen=True, slots=True)
class TestResult:
    """What a test gave: full points when `status` is ok and `points` None, none when it is anything else."""

    __test__ = False

    grade_id: str
    status: RunStatus
    points: float | None
    """Partial credit, as the test returned it."""
    trust: Trust
    message: str = ""
    """What a learner may read about it: never a hidden test's source or traceback."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A test's result, and the outputs of its cell for the trainer, from which nbgrader reads the same."""

    result: TestResult
    outputs: tuple[NotebookNode, ...] = ()


class Trial(Protocol):
    """Judges the tests of one notebook, one after another."""

    def judge(self, test: TestCell, snapshot: int) -> Judgement:
        """Return what the full test gives.

        Args:
            test: The test.
            snapshot: Descriptor of a connection to the learner's state at the test. It stays the caller's,
                who closes it afterwards.

        Raises:
            InfrastructureFault: The platform failed, not the learner.
        """


TrialFactory = Callable[[], AbstractContextManager[Trial]]
"""Called once a notebook, when its cells have run."""


@dataclass(frozen=True, slots=True)
class ExecutedNotebook:
    """A notebook that was run."""

    graded: NotebookNode
    """The trainer's: tests in full, with the outputs that nbgrader's `determine_grade` reads."""
    seen: NotebookNode
    """The learner's: what is visible of the tests, and outputs of a process that met nothing else."""
    status: RunStatus
    tests: Mapping[str, TestResult]
    phases: Mapping[str, float]
    """Seconds by phase: fork, files, cells, tests, sequence."""
    unsteady: frozenset[str] = frozenset()
    """Tests that were to be judged by the notebook's last state, and had to be by that at their place."""
