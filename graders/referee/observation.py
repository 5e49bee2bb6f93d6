"""Runs the author's solution with its tests in the referee, and notes what each test asked and got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nbformat import NotebookNode

from graders.execution.results import ExecutedNotebook, Judgement, RunLimits, TestCell, Trial
from graders.execution.run import execute_notebook
from graders.forkserver.client import ForkClient
from graders.referee.trial import InstructorSide, Observed, Referee


class _Recorder:
    """A referee that keeps what each test asked."""

    def __init__(self, referee: Referee) -> None:
        self._referee = referee
        self.seen: dict[str, Observed] = {}

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *error: object) -> None:
        self._referee.close()

    def judge(self, test: TestCell, snapshot: int) -> Judgement:
        observed = self.seen[test.grade_id] = self._referee.observe(test, snapshot)
        return observed.judgement


@dataclass(frozen=True, slots=True)
class Observations:
    """What each test gave by nbgrader's rules, the run, and the tests that cannot wait for its end."""

    seen: Mapping[str, Observed]
    runs: tuple[ExecutedNotebook, ...] = ()
    unsteady: frozenset[str] = frozenset()


def observe(
    source: NotebookNode,
    tests: Mapping[str, TestCell],
    side: InstructorSide,
    warm: ForkClient,
    limits: RunLimits,
    *,
    recording: bool,
) -> Observations:
    """Return what the tests gave, all judged by the referee.

    Args:
        source: The author's notebook, with solutions.
        tests: By grade id.
        side: What they find.
        warm: Where processes come from.
        limits: Of the run.
        recording: Whether tests may ask the solution's objects anything, not only what `side` says.

    Raises:
        InfrastructureFault: The platform failed.
    """
    recorder = _Recorder(Referee(warm, limits, side, recording=recording))
    if not tests:
        return Observations({})
    executed = execute_notebook(source, tests, side.files, warm, limits, lambda: recorder)
    seen = {
        key: replace(each, judgement=replace(each.judgement, result=executed.tests[key]))
        for key, each in recorder.seen.items()
    }
    return Observations(seen, (executed,), executed.unsteady)
