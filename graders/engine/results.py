"""What is graded, and what came of it, as values that travel between processes and machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from graders.execution.results import TestResult
from graders.execution.status import RunStatus
from graders.repair.files import FileProblem

RemarkKind = Literal["repair", "forgeable", "points", "stopped", "timestamp", "files", "step"]
"""Why a line is in the report: a notebook was repaired, a test can be forged, points are not what the test
said, a run was stopped, a time of submission cannot be read, files were left out, a step of the course's own
failed or was replaced."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A line of the report that a trainer reads; `cell` and `notebook` are empty where it is about more."""

    kind: RemarkKind
    text: str
    notebook: str = ""
    cell: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionContent:
    """One submission, as content and not as a place: a worker needs no disk of the course's.

    Args:
        student: Who submitted.
        files: By relative path with `/`, what was submitted.
        left_out: Which other files were submitted, and why they are not used.
        timestamp: When, aware or naive UTC; None leaves what the gradebook says.
        due_at: When it is due for this student, aware; None leaves what the gradebook says.
        quiz_points: Points in the quiz of the assignment at that time; None leaves those of the gradebook.
        graded_before: By notebook, the trainer's notebooks as they were graded last.
        first_name: For the gradebook; None leaves what it says.
        last_name: Likewise.
        remarks: What was noticed when it was read.
        language: Of what its learner is told.
    """

    student: str
    files: Mapping[str, bytes]
    left_out: tuple[FileProblem, ...] = ()
    timestamp: datetime | None = None
    due_at: datetime | None = None
    quiz_points: float | None = None
    graded_before: Mapping[str, bytes] = field(default_factory=dict)
    first_name: str | None = None
    last_name: str | None = None
    remarks: tuple[Remark, ...] = ()
    language: str = "en"


@dataclass(frozen=True, slots=True)
class CellGrade:
    """The automatic score of a cell, None where a person gives the points."""

    cell: str
    auto_score: float | None
    is_kept: bool = False
    """The score of the gradebook stays, 0 if it has none."""
    is_unchanged: bool = False
    """The work that it is about is what a person marked last."""
    forgeable: str = ""
    """Why learner code could have forged it; empty if it could not."""


@dataclass(frozen=True, slots=True)
class CellComment:
    """nbgrader's automatic comment on a cell."""

    cell: str
    auto_comment: str | None


@dataclass(frozen=True, slots=True)
class GradedNotebook:
    """One notebook of a submission, graded."""

    name: str
    graded: bytes
    """The trainer's notebook."""
    seen: bytes
    """What its learner may see of the run; empty where nobody asked for it."""
    grades: tuple[CellGrade, ...]
    comments: tuple[CellComment, ...]
    status: RunStatus
    tests: Mapping[str, TestResult]
    phases: Mapping[str, float]
    """Seconds by phase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedSubmission:
    """What came of one submission.

    Args:
        student: Who submitted.
        notebooks: Those that were submitted and graded.
        missing: Those that were not: they get no points.
        problem: Why the submission was not graded, for its learner; empty if it was.
        fault: What went wrong that is no fault of the learner's; empty if nothing did.
        is_empty: Whether there was no notebook at all to be graded; then `problem` says so.
        is_sandboxed: Whether learner code was confined.
        remarks: For the report.
    """

    student: str
    notebooks: tuple[GradedNotebook, ...] = ()
    missing: tuple[str, ...] = ()
    problem: str = ""
    fault: str = ""
    is_empty: bool = False
    is_sandboxed: bool = True
    remarks: tuple[Remark, ...] = ()

    @property
    def is_graded(self) -> bool:
        return not self.problem and not self.fault
