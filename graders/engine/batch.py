"""Grades what was submitted for one assignment of a course directory, as `nbgrader autograde` would.

Safe to interrupt and to kill at any moment: results are in the gradebook before they are in `autograded/`,
and what is not in `autograded/` is graded by the next run.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from course.errors import CourseError
from graders.engine.content import CourseContent
from graders.engine.gradebook import Finished
from graders.engine.locks import SubmissionLocks
from graders.engine.plan import AssignmentPlan
from graders.engine.pool import Done
from graders.engine.results import GradedSubmission, Remark, SubmissionContent
from graders.engine.unfollowed import unfollowed
from graders.engine.writing import Written

WRITE_SECONDS = 0.5
WRITE_COUNT = 25
"""Results are written when so many wait, or the first has waited so long."""
_REPLACED = "{} of nbgrader_config.py is not called: the engine does that step in its own way."
_SWITCHED_OFF = "{0}.enabled = False of nbgrader_config.py is not followed: {1}"
_WHY_ON = {
    "Execute": "points come from tests that are run, never from outputs that a learner saved.",
    "OverwriteCells": "the tests are those of the author, never those of a submission.",
    "SaveAutoGrades": "grading is what records points.",
}
_FAILS = "{}/{}: the author's own solution fails this test."
BUSY_SECONDS = 0.2
"""How often is looked whether another command has finished a submission."""


class Graders(Protocol):
    """Whoever grades submissions: processes of this machine, or others."""

    @property
    def has_room(self) -> bool: ...

    @property
    def is_idle(self) -> bool: ...

    def put(self, task: SubmissionContent) -> None: ...

    def done(self, timeout: float | None = None) -> Sequence[Done[SubmissionContent, GradedSubmission]]: ...


class Writer(Protocol):
    """Whoever brings results to their places."""

    def write(self, finished: Sequence[Finished]) -> tuple[Written, ...]: ...


@dataclass(frozen=True, slots=True)
class Line:
    """What came of one submission, for the report; `points` are automatic ones, None if it was not graded."""

    student: str
    points: float | None
    max_points: float
    problem: str = ""
    is_empty: bool = False
    """Whether it was not graded because it holds no notebook."""
    is_sandboxed: bool = True
    remarks: tuple[Remark, ...] = ()


@dataclass(slots=True)
class Report:
    """What a batch did. `skipped` were graded before and have not been submitted again since."""

    assignment: str
    lines: list[Line] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    """Who has submitted, and is left out by the configuration."""
    seconds: float = 0.0
    phases: dict[str, float] = field(default_factory=dict)
    """Seconds by phase, over all submissions."""
    notes: tuple[str, ...] = ()
    """What is to be said about all of them."""

    @property
    def exit_code(self) -> int:
        """What `nbgrader autograde` exits with: 1 if a notebook was not graded, or there was none at all."""
        submitted = [line for line in self.lines if not line.is_empty]
        there_is = submitted or self.skipped or self.excluded
        return int(any(line.problem for line in submitted) or not there_is)


class Batch:
    """One run over submissions of one assignment.

    Args:
        plan: How they are graded.
        course: Where they are.
        writer: Where results go.
        graders: Who grades.
        locks: Of the course directory.
        tell: Called with each line of the report as soon as it is known, with None for who is skipped.
    """

    def __init__(
        self,
        plan: AssignmentPlan,
        course: CourseContent,
        writer: Writer,
        graders: Graders,
        locks: SubmissionLocks,
        tell: Callable[[Line | None], None] = lambda _line: None,
    ) -> None:
        self._plan = plan
        self._course = course
        self._writer = writer
        self._graders = graders
        self._locks = locks
        self._tell = tell
        self._finished: list[Finished] = []
        self._write_at = 0.0
        self._report = Report(plan.assignment, notes=tuple(notes_on(plan)))
        self._phases = defaultdict[str, float](float)

    def refuse(self, student: str, problem: str) -> None:
        """Tell of a submission that is not graded, and why."""
        line = refused(self._plan, student, problem)
        self._report.lines.append(line)
        self._tell(line)

    def run(self, students: Sequence[str], *, force: bool = False) -> Report:
        """Grade the submissions of `students`; again those that are graded, if `force`."""
        start = time.monotonic()
        waiting = deque(students)
        while waiting or self._finished or not self._graders.is_idle:
            busy = self._begin(waiting, force=force)
            waiting.extend(busy)
            self._collect(BUSY_SECONDS if busy else None)
            if self._finished and (self._is_time() or self._graders.is_idle):
                self._write()
            elif busy and self._graders.is_idle:
                time.sleep(BUSY_SECONDS)
        self._report.seconds = time.monotonic() - start
        self._report.phases = dict(self._phases)
        return self._report

    def _begin(self, waiting: deque[str], *, force: bool) -> list[str]:
        """Hand out what can begin; return those that another command has."""
        busy = []
        while waiting and self._graders.has_room:
            student = waiting.popleft()
            if not self._locks.take(self._plan.assignment, student):
                busy.append(student)
                continue
            try:
                with self._clock("read"):
                    content = self._read(student, force=force)
            except CourseError as error:
                self._finish(SubmissionContent(student=student, files={}), _unreadable(student, error))
                continue
            if content is not None:
                self._graders.put(content)
            else:
                self._locks.give(self._plan.assignment, student)
                self._report.skipped.append(student)
                self._tell(None)
        return busy

    def _read(self, student: str, *, force: bool) -> SubmissionContent | None:
        """Return a submission; None if it is graded and shall not be graded again."""
        return self._course.read(student) if force or self._course.is_due(student) else None

    def _collect(self, seconds: float | None) -> None:
        if self._finished:
            seconds = max(0.0, self._write_at - time.monotonic())
        for done in self._graders.done(seconds):
            self._finish(done.task, _result(done))

    def _finish(self, content: SubmissionContent, result: GradedSubmission) -> None:
        if not self._finished:
            self._write_at = time.monotonic() + WRITE_SECONDS
        self._finished.append(Finished(content, result))

    def _is_time(self) -> bool:
        return len(self._finished) >= WRITE_COUNT or time.monotonic() >= self._write_at

    def _write(self) -> None:
        finished, self._finished = self._finished, []
        with self._clock("write"):
            written = self._writer.write(finished)
        for each in written:
            self._locks.give(self._plan.assignment, each.finished.content.student)
            for notebook in each.finished.result.notebooks:
                for phase, seconds in notebook.phases.items():
                    self._phases[phase] += seconds
            line = _line(self._plan, each)
            self._report.lines.append(line)
            self._tell(line)

    @contextmanager
    def _clock(self, phase: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._phases[phase] += time.perf_counter() - start


def _result(done: Done[SubmissionContent, GradedSubmission]) -> GradedSubmission:
    if done.result is not None:
        return done.result
    return GradedSubmission(student=done.task.student, fault=done.problem, remarks=done.task.remarks)


def _unreadable(student: str, error: CourseError) -> GradedSubmission:
    """Return what comes of a submission that cannot even be read: no other one waits for it."""
    return GradedSubmission(student=student, problem=str(error))


def refused(plan: AssignmentPlan, student: str, problem: str) -> Line:
    """Return the line of a submission that is not even looked at."""
    return Line(student=student, points=None, max_points=_max_points(plan), problem=problem)


def _max_points(plan: AssignmentPlan) -> float:
    return sum(cell.points for each in plan.notebooks.values() for cell in each.source.cells)


def _line(plan: AssignmentPlan, written: Written) -> Line:
    result = written.finished.result
    scores = [grade.auto_score or 0.0 for notebook in result.notebooks for grade in notebook.grades]
    problem = written.problem or result.problem or result.fault
    return Line(
        student=written.finished.content.student,
        points=None if problem else sum(scores),
        max_points=_max_points(plan),
        problem=problem,
        is_empty=result.is_empty,
        is_sandboxed=result.is_sandboxed,
        remarks=(*result.remarks, *written.remarks),
    )


def notes_on(plan: AssignmentPlan) -> Iterator[str]:
    """Yield what is to be said about all submissions of an assignment."""
    yield from map(_REPLACED.format, plan.steps.replaced)
    yield from (_SWITCHED_OFF.format(step, _WHY_ON[step]) for step in plan.steps.switched_off)
    yield from unfollowed(plan.config)
    for name, notebook in plan.notebooks.items():
        # In the notebook's order.
        yield from (_FAILS.format(name, test) for test in notebook.tests if test in notebook.failing)
