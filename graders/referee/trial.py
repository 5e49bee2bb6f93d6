"""Judges tests for the grader: each in the referee's process, against a snapshot of the learner's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from types import TracebackType
from typing import Self, get_args

from nbformat import NotebookNode

from graders.execution.outputs import BadOutput, NotebookOutputs
from graders.execution.results import Judgement, RunLimits, TestCell, TestResult
from graders.execution.status import NO_RESULT, OUT_OF_TIME, InfrastructureFault, RunStatus, fault
from graders.forkserver.channel import BadMessage, ChannelClosed, Message
from graders.forkserver.parent import ForkClient, ForkServerFailed
from graders.forkserver.process import ForkedProcess

OPEN_SECONDS = 30
GRACE_SECONDS = 3
"""Longer than a test may take, for the process to say so itself."""
REFEREE_DIED = "RefereeDied"
_STATUSES: tuple[RunStatus, ...] = get_args(RunStatus)
NO_NUMBER = "The result of the cell is not a number of points."


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructorSide:
    """What tests find that no learner made; picklable."""

    imports: Mapping[str, str] = field(default_factory=dict)
    """Import statements of the instructor's notebook, by the names that they bind."""
    defined: frozenset[str] = frozenset()
    """Names that its other statements bind."""
    helpers: Mapping[str, str] = field(default_factory=dict)
    """Functions among those that are the author's own: see graders.referee.helpers."""
    files: bytes = b""
    """A tar of what the instructor laid beside the notebook, empty for nothing."""
    calls: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By grade id, what the test asks objects of the solution: see graders.referee.calibration."""
    giving_points: frozenset[str] = frozenset()
    """Tests of which the solution gets points as a number: any other result of theirs is none."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A test's result, and what it asked objects that are no plain data."""

    judgement: Judgement
    asked: frozenset[str]


class Referee:
    """Judges the tests of one notebook. Use it as a context manager.

    All run in one process, as in one kernel. If a test ends it, the next gets a new one.

    Args:
        warm: Where processes come from.
        limits: Of the run; `cell_seconds` and `cell_output_bytes` count for each test.
        instructor: What tests find.
        recording: The state is that of the instructor's own solution: tests may ask it anything.
    """

    def __init__(
        self, warm: ForkClient, limits: RunLimits, instructor: InstructorSide, *, recording: bool = False
    ) -> None:
        self._warm = warm
        self._limits = limits
        self._instructor = instructor
        self._recording = recording
        self._forked: ForkedProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End its process."""
        if self._forked is not None:
            self._forked.kill()
            self._forked = None

    def judge(self, test: TestCell, snapshot: int) -> Judgement:
        """Return what the full test gives.

        Args:
            test: The test.
            snapshot: Descriptor of a connection to the learner's state at the test; it stays the caller's.

        Raises:
            InfrastructureFault: The platform failed, not the learner.
        """
        return self.observe(test, snapshot).judgement

    def observe(self, test: TestCell, snapshot: int) -> Observed:
        """Return what the full test gives, and what it asked.

        Raises:
            InfrastructureFault: The platform failed, not the learner.
        """
        forked = self._forked or self._open()
        calls = self._instructor.calls.get(test.grade_id)
        gives_points = test.grade_id in self._instructor.giving_points
        request = {
            "op": "judge",
            "grade_id": test.grade_id,
            "source": test.full,
            "calls": None if calls is None else sorted(calls),
            "recording": self._recording,
            "gives_points": gives_points,
            "seconds": self._limits.cell_seconds,
            "max_bytes": self._limits.cell_output_bytes,
        }
        try:
            forked.channel.send(request, fds=(snapshot,), timeout=OPEN_SECONDS)
            answer = forked.channel.receive(self._limits.cell_seconds + GRACE_SECONDS)
        except TimeoutError:
            return self._give_up(test, "time", OUT_OF_TIME, "The test ran too long and was stopped.")
        except (ChannelClosed, BadMessage):
            return self._give_up(test, "signal", REFEREE_DIED, "The test ended the process in which it ran.")
        try:
            return _observed(test, answer, gives_points=gives_points)
        except BadMessage:
            return self._give_up(test, "signal", REFEREE_DIED, "The process of the test went out of order.")

    def _open(self) -> ForkedProcess:
        instructor = self._instructor
        try:
            self._forked = forked = self._warm.fork("referee", self._limits.process)
            opening = {
                "op": "open",
                "imports": dict(instructor.imports),
                "defined": sorted(instructor.defined),
                "helpers": dict(instructor.helpers),
                "sandboxed": forked.sandboxed,
            }
            forked.channel.send(opening, instructor.files, timeout=OPEN_SECONDS)
            answer = forked.channel.receive(OPEN_SECONDS).header
        except (ForkServerFailed, ChannelClosed, BadMessage, TimeoutError) as error:
            self.close()
            raise InfrastructureFault(f"The referee did not start: {error}") from error
        if answer.get("op") != "opened":
            self.close()
            raise InfrastructureFault(f"The referee did not start: {answer.get('failed')}")
        return forked

    def _give_up(self, test: TestCell, status: RunStatus, name: str, reason: str) -> Observed:
        self.close()
        result = TestResult(test.grade_id, status, None, "referee")
        return Observed(Judgement(result, (fault(name, reason),)), frozenset())


def _observed(test: TestCell, answer: Message, *, gives_points: bool) -> Observed:
    """Return what an answer says. Its process has met what learner code made, so nothing of it is trusted.

    No text of it becomes a message: it was made after hidden code had run. The learner's own run of the
    visible part tells why that fails.

    Raises:
        BadMessage: It is no answer.
    """
    header = answer.header
    asked = header.get("asked")
    status = next((known for known in _STATUSES if known == header.get("status")), None)
    if header.get("op") != "judged" or status is None or not isinstance(asked, list):
        raise BadMessage(f"This judges no test: {str(header.get('failed'))[:200]}")
    outputs = _outputs(header.get("outputs"))
    points = _points(outputs) if status == "ok" else None
    if gives_points and status == "ok" and not (points is not None and 0 <= points < inf):
        result = TestResult(test.grade_id, "runtime-error", None, "referee", NO_NUMBER)
        outputs.insert(0, fault(NO_RESULT, NO_NUMBER))
    else:
        result = TestResult(test.grade_id, status, points, "referee")
    return Observed(Judgement(result, tuple(outputs)), frozenset(map(str, asked)))


def _outputs(taken: object) -> list[NotebookNode]:
    """Return a test's outputs as those of a kernel, with texts that a file can hold."""
    outputs: list[NotebookNode] = []
    collected = NotebookOutputs()
    collected.begin(outputs)
    try:
        for output in taken if isinstance(taken, list) else ():
            collected.add(output["output_type"], output)
    except (BadOutput, LookupError, TypeError) as error:
        raise BadMessage(f"This is no output of a test: {error}") from error
    return outputs


def _points(outputs: Sequence[NotebookNode]) -> float | None:
    """Return the partial credit that nbgrader would read, None for full points."""
    for output in outputs:
        if output.output_type == "execute_result":
            try:
                return float(output.data.get("text/plain", ""))
            except (ValueError, TypeError):
                return None
    return None
