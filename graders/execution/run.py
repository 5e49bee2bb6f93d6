"""Executes a submitted notebook: its cells in the learner's process, its tests where they are judged."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

from nbformat import NotebookNode
from nbformat.notebooknode import from_dict

from graders.execution.learner import LearnerProcess, StateLost, fork_learner
from graders.execution.results import (
    ExecutedNotebook,
    Judgement,
    RunLimits,
    TestCell,
    TestResult,
    Trial,
    TrialFactory,
)
from graders.execution.sequence import judge_in_sequence
from graders.execution.shared_state import SharedState, needs_of_late_tests, test_of, unsteady
from graders.execution.snapshot import judge_in_snapshot
from graders.execution.status import RunStatus
from graders.execution.verdict import verdict
from graders.forkserver.client import ForkClient


def execute_notebook(
    notebook: NotebookNode,
    tests: Mapping[str, TestCell],
    files: bytes,
    warm: ForkClient,
    limits: RunLimits,
    referee: TrialFactory | None,
) -> ExecutedNotebook:
    """Run a submitted notebook and judge its tests. `notebook` itself stays as it is.

    A test is judged by the state at its place. Where that can be told to be the state of the end, one copy
    serves all such tests; where it cannot after all, the notebook is run again, with a copy for each. A
    learner's process that says wrongly what has changed gets tests judged by another of its own states: it
    could have been in that one at their places. It says so of all names, and learns nothing about tests.

    Args:
        notebook: Repaired; what it holds of a test's source is not used.
        tests: By grade id; the cells of `notebook` that are not named here are the learner's.
        files: A tar of what lies beside the notebook, empty for nothing.
        warm: Where processes come from.
        limits: Of the run.
        referee: Judges the tests of trust `referee`. None: all are judged beside the learner's code.

    Raises:
        InfrastructureFault: The platform failed; the submission can be graded later.
        SandboxUnavailable: This machine cannot isolate learner code.
    """
    execute = partial(_execute, notebook, tests, files, warm, limits, referee)
    late = {} if referee is None else needs_of_late_tests(notebook.cells, tests)
    try:
        return execute(late)
    except StateLost as lost:
        return replace(execute({}), unsteady=lost.tests or frozenset(late))


def _execute(
    notebook: NotebookNode,
    tests: Mapping[str, TestCell],
    files: bytes,
    warm: ForkClient,
    limits: RunLimits,
    referee: TrialFactory | None,
    late: Mapping[str, frozenset[str]],
) -> ExecutedNotebook:
    clock = _Clock()
    with ExitStack() as stack:
        with clock("fork"):
            forked = stack.enter_context(fork_learner(warm, limits, len(files)))
        learner = LearnerProcess(forked, limits)
        with clock("files"):
            learner.unpack(files)
        run = _Run(notebook, tests, learner, limits, late, judged_apart=referee is not None)
        stack.callback(run.close)
        with clock("cells"):
            run.run_cells()
        with clock("tests"):
            judgements = run.judge(referee)
            learner.check()
    if run.has_tests_in_sequence:
        with clock("sequence"):
            judgements |= run.in_sequence(judge_in_sequence(notebook, tests, files, warm, limits))
    return run.executed(judgements, clock.seconds)


@dataclass(slots=True)
class _TestRun:
    """A test in the notebook, and what is left of the moment at which it stood."""

    test: TestCell
    cell: NotebookNode
    status: RunStatus = "ok"
    snapshot: socket.socket | None = None
    waits: bool = False
    """The moment has been marked, and the end of the notebook is to be as good."""

    @property
    def was_reached(self) -> bool:
        return self.waits or self.snapshot is not None


class _Run:
    """The state of one notebook's run.

    Args:
        late: Tests that are judged by the state of the end, with the names that they need.
        judged_apart: Whether there is a referee.
    """

    def __init__(
        self,
        notebook: NotebookNode,
        tests: Mapping[str, TestCell],
        learner: LearnerProcess,
        limits: RunLimits,
        late: Mapping[str, frozenset[str]],
        *,
        judged_apart: bool,
    ) -> None:
        self._tests = tests
        self._learner = learner
        self._shared = SharedState(learner)
        self._late = late
        self._limits = limits
        self._judged_apart = judged_apart
        self._seen = from_dict(notebook)
        self._runs: dict[int, _TestRun] = {}
        """By place in the notebook."""

    def run_cells(self) -> None:
        """Run what the learner may see, and keep a snapshot wherever more is to be judged.

        Raises:
            StateLost: A test waits for the end, and meets there another state than at its place.
        """
        for place, cell in enumerate(self._seen.cells):
            if cell.cell_type != "code":
                continue
            test = self._test_of(cell)
            if test is None:
                self._learner.run(cell, cell.source)
                continue
            run = self._runs[place] = _TestRun(test, cell)
            cell.source = test.visible
            if test.grade_id in self._late:
                run.waits = self._learner.mark()
            elif self._needs_snapshot(test):
                run.snapshot = self._learner.snapshot()
            run.status = self._learner.run(cell, test.visible)
        waiting = [run.test.grade_id for run in self._runs.values() if run.waits]
        if not waiting:
            if any(run.snapshot is not None for run in self._runs.values()):
                self._learner.settle()
            self._learner.leave()
        elif changed := unsteady([(key, self._late[key]) for key in waiting], self._learner.changed()):
            raise StateLost(changed)

    def judge(self, referee: TrialFactory | None) -> dict[int, Judgement]:
        """Return what the tests gave, by place in the notebook."""
        with ExitStack() as stack:
            trial = None
            if referee is not None and any(map(self._is_refereed, self._runs.values())):
                trial = stack.enter_context(referee())
            return {
                place: self._judge(run, trial)
                for place, run in self._runs.items()
                if not _is_in_sequence(run.test)
            }

    @property
    def has_tests_in_sequence(self) -> bool:
        """Whether `judge` leaves out a test: one that needs what hidden tests do, which never run here."""
        return any(_is_in_sequence(run.test) for run in self._runs.values())

    def in_sequence(self, judgements: Mapping[int, Judgement]) -> dict[int, Judgement]:
        """Return of what all tests gave in one process that of the tests which `judge` leaves out."""
        return {place: judgements[place] for place, run in self._runs.items() if _is_in_sequence(run.test)}

    def executed(self, judgements: Mapping[int, Judgement], phases: Mapping[str, float]) -> ExecutedNotebook:
        graded = from_dict(self._seen)
        for place, judgement in judgements.items():
            graded.cells[place].source = self._runs[place].test.full
            graded.cells[place].outputs = [from_dict(output) for output in judgement.outputs]
        results = {judgement.result.grade_id: judgement.result for judgement in judgements.values()}
        status = self._learner.status
        if status == "ok" and any(result.status != "ok" for result in results.values()):
            status = "failed"
        return ExecutedNotebook(graded, self._seen, status, results, phases)

    def close(self) -> None:
        for run in self._runs.values():
            if run.snapshot is not None:
                run.snapshot.close()
        self._shared.close()

    def _test_of(self, cell: NotebookNode) -> TestCell | None:
        return test_of(cell, self._tests)

    def _goes_to_referee(self, test: TestCell) -> bool:
        return self._judged_apart and test.trust == "referee"

    def _is_refereed(self, run: _TestRun) -> bool:
        return run.was_reached and self._goes_to_referee(run.test)

    def _needs_snapshot(self, test: TestCell) -> bool:
        # A test that runs beside the learner's code, and that the learner may see, has run already.
        return self._goes_to_referee(test) or (test.full != test.visible and not _is_in_sequence(test))

    def _judge(self, run: _TestRun, trial: Trial | None) -> Judgement:
        test = run.test
        if not self._goes_to_referee(test):
            test = replace(test, trust="kernel")
        if not self._needs_snapshot(test):
            return verdict(test, run.cell, from_dict(run.cell.outputs), run.status)
        if not run.was_reached:
            status: RunStatus = "runtime-error" if self._learner.status == "ok" else self._learner.status
            return Judgement(TestResult(test.grade_id, status, None, test.trust), (self._learner.not_run,))
        if trial is not None and test.trust == "referee":
            with self._shared.lent() if run.snapshot is None else nullcontext(run.snapshot) as snapshot:
                judged = trial.judge(test, snapshot.fileno())
            return verdict(test, run.cell, judged.outputs, judged.result.status, judged.result.message)
        assert run.snapshot is not None
        return judge_in_snapshot(test, run.cell, run.snapshot, self._limits)


def _is_in_sequence(test: TestCell) -> bool:
    return test.in_sequence and test.trust == "kernel"


class _Clock:
    """Seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = perf_counter() - start
