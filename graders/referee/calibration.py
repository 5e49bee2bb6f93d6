"""Finds out, once for each version of an assignment, which tests a referee can judge.

The instructor's solution decides, never a submission: a test that passes beside the solution but not apart
from it needs the learner's own process. What a test asks the solution's objects is kept, too: it may tell a
learner's nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nbformat import NotebookNode

from graders.execution.results import Judgement, RunLimits, TestCell, TestResult, Trial
from graders.execution.results import Trust as Where
from graders.execution.run import execute_notebook
from graders.forkserver.parent import ForkClient
from graders.referee.analysis import names_of, obstacles
from graders.referee.trial import InstructorSide, Observed, Referee


@dataclass(frozen=True, slots=True)
class Trust:
    """Where a test is judged, and why not by the referee; picklable."""

    trust: Where
    reason: str = ""
    """Empty for a test of the referee's."""
    calls: frozenset[str] = frozenset()
    """What it asks the solution's objects."""
    gives_points: bool = False
    """Whether its result for the solution is a number, partial credit."""
    at_end: bool = False
    """Whether the solution's last state is to it the one at its place."""


def instructor_side(source: NotebookNode, tests: Mapping[str, TestCell], files: bytes) -> InstructorSide:
    """Return what the tests of a notebook find that no learner made.

    Args:
        source: The instructor's notebook, with solutions.
        tests: Its tests, by grade id.
        files: A tar of what lies beside it.
    """
    names = names_of(
        cell.source for cell in source.cells if cell.cell_type == "code" and _grade_id(cell) not in tests
    )
    # The course kernel's own name: the learner's would say of itself whether a check holds.
    offered = {} if "spoc" in names.defined else {"spoc": "from course import checks as spoc"}
    return InstructorSide(imports={**offered, **names.imports}, defined=names.defined, files=files)


def calibrated(side: InstructorSide, trust: Mapping[str, Trust]) -> InstructorSide:
    """Return `side` with what `calibrate` has found."""
    return replace(
        side,
        calls={key: found.calls for key, found in trust.items()},
        giving_points=frozenset(key for key, found in trust.items() if found.gives_points),
    )


def calibrate(
    source: NotebookNode, tests: Mapping[str, TestCell], files: bytes, warm: ForkClient, limits: RunLimits
) -> dict[str, Trust]:
    """Return for each test where it is to be judged.

    Args:
        source: The instructor's notebook, with solutions.
        tests: Its tests, by grade id.
        files: A tar of what lies beside it.
        warm: Where processes come from.
        limits: Of the run.

    Raises:
        InfrastructureFault: The platform failed.
    """
    side = instructor_side(source, tests, files)
    stopped = {key: found for key, test in tests.items() if (found := obstacles(test.full))}
    apart = {key: replace(test, trust="referee") for key, test in tests.items() if key not in stopped}
    late = {key: replace(test, at_end=True) for key, test in apart.items()}
    first, unsteady = _observe(source, late, side, warm, limits, recording=True)
    asked = {key: seen.asked for key, seen in first.items()}
    # Once more, with no more than what was asked: this is what learners' solutions will meet.
    seen, _ = _observe(source, apart, replace(side, calls=asked), warm, limits, recording=False)
    beside = execute_notebook(source, tests, files, warm, limits, None).tests
    return {
        key: Trust("kernel", stopped[key][0].reason)
        if key in stopped
        else replace(
            _decided(seen.get(key), beside[key], asked.get(key, frozenset())), at_end=key not in unsteady
        )
        for key in tests
    }


def _decided(seen: Observed | None, beside: TestResult, asked: frozenset[str]) -> Trust:
    if beside.status != "ok":
        # The solution is wrong, or the test is. Neither asks for a test that can be forged.
        return Trust("referee", calls=asked)
    if seen is None:
        return Trust("kernel", "the notebook does not get as far as this test")
    apart = seen.judgement.result
    if (apart.status, apart.points) != (beside.status, beside.points):
        return Trust("kernel", _reason(seen.judgement))
    return Trust("referee", calls=asked, gives_points=apart.points is not None)


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


def _observe(
    source: NotebookNode,
    tests: Mapping[str, TestCell],
    side: InstructorSide,
    warm: ForkClient,
    limits: RunLimits,
    *,
    recording: bool,
) -> tuple[dict[str, Observed], frozenset[str]]:
    """Return what each test gave, and those that cannot wait for the notebook's end."""
    recorder = _Recorder(Referee(warm, limits, side, recording=recording))
    if not tests:
        return {}, frozenset()
    executed = execute_notebook(source, tests, side.files, warm, limits, lambda: recorder)
    return recorder.seen, executed.unsteady


def _reason(judgement: Judgement) -> str:
    error = next((output for output in judgement.outputs if output.output_type == "error"), None)
    if error is None:
        return f"it ends with {judgement.result.status}"
    return f"apart from the learner's code it ends with {error.ename}: {error.evalue}"[:300]


def _grade_id(cell: NotebookNode) -> object:
    return cell.metadata.get("nbgrader", {}).get("grade_id")
