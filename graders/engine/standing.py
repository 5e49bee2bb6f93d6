"""What the gradebook says about everybody's work for one assignment, read at one moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from nbgrader import api
from sqlalchemy import select
from sqlalchemy.orm import Session, with_polymorphic

Place = tuple[str, str]
"""Notebook and cell."""


@dataclass(frozen=True, slots=True)
class Points:
    """The points of a cell: by its tests, by hand, beyond what it gives; and whether a person is to look."""

    automatic: float | None
    manual: float | None
    extra: float | None
    maximum: float
    waits: bool

    @property
    def counted(self) -> float | None:
        """What the total counts; None while there is nothing to count."""
        given = self.automatic if self.manual is None else self.manual
        if given is None:
            return self.extra
        return given + (self.extra or 0.0)


@dataclass(frozen=True, slots=True)
class Standing:
    """A submission's points; the total counts marks, extra credit and late penalties."""

    cells: Mapping[Place, Points]
    penalty: float

    @property
    def total(self) -> float:
        return max(0.0, sum(points.counted or 0.0 for points in self.cells.values()) - self.penalty)

    @property
    def maximum(self) -> float:
        return sum(points.maximum for points in self.cells.values())


def read_standings(session: Session, assignment: str) -> dict[str, Standing]:
    """Return by student what the gradebook has of an assignment: of everybody who has submitted it."""
    cells, penalties = _cells(session, assignment), _penalties(session, assignment)
    return {student: Standing(cells[student], penalty) for student, penalty in penalties.items()}


def _penalties(session: Session, assignment: str) -> dict[str, float]:
    rows = session.execute(
        select(api.SubmittedAssignment.student_id, api.SubmittedNotebook.late_submission_penalty)
        .join(api.Assignment, api.SubmittedAssignment.assignment_id == api.Assignment.id)
        .outerjoin(api.SubmittedNotebook, api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id)
        .where(api.Assignment.name == assignment)
    )
    penalties = defaultdict[str, float](float)
    for student, penalty in rows:
        penalties[student] += penalty or 0.0
    return dict(penalties)


def _cells(session: Session, assignment: str) -> defaultdict[str, dict[Place, Points]]:
    graded = with_polymorphic(api.BaseCell, [api.GradeCell, api.TaskCell])
    rows = session.execute(
        select(api.SubmittedAssignment.student_id, api.Notebook.name, graded, api.Grade)
        .select_from(api.Grade)
        .join(api.SubmittedNotebook, api.Grade.notebook_id == api.SubmittedNotebook.id)
        .join(api.SubmittedAssignment, api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id)
        .join(api.Notebook, api.SubmittedNotebook.notebook_id == api.Notebook.id)
        .join(api.Assignment, api.Notebook.assignment_id == api.Assignment.id)
        .join(graded, api.Grade.cell_id == graded.id)
        .where(api.Assignment.name == assignment)
    )
    cells = defaultdict[str, dict[Place, Points]](dict)
    for student, notebook, cell, grade in rows:
        cells[student][notebook, cell.name] = Points(
            automatic=grade.auto_score,
            manual=grade.manual_score,
            extra=grade.extra_credit,
            maximum=float(cell.max_score),
            waits=bool(grade.needs_manual_grade),
        )
    return cells
