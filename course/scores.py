"""Scores as the rest of the course reads them, whatever gradebook they come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

CellKind = Literal["tests", "written", "quiz"]


def quiz_cell(assignment: str) -> str:
    """Return the grade id of the cell that carries an assignment's quiz points."""
    return f"quiz-{assignment}"


@dataclass(frozen=True, slots=True)
class Exercise:
    """One graded cell of a released assignment, as its author wrote it."""

    assignment: str
    cell: str
    kind: CellKind
    max_points: float
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CellScore:
    """What one learner has for one graded cell; `points` is None while a person has still to mark it."""

    notebook: str
    cell: str
    kind: CellKind
    points: float | None
    max_points: float


@dataclass(frozen=True, slots=True)
class AssignmentScore:
    """What one learner has for one assignment; `late_penalty` is in points and never negative."""

    learner: str
    assignment: str
    submitted_at: datetime | None
    late_penalty: float
    cells: tuple[CellScore, ...]

    @property
    def points(self) -> float:
        """Points of what is marked so far, after the late penalty; never below zero."""
        return max(0.0, sum(cell.points or 0.0 for cell in self.cells) - self.late_penalty)

    @property
    def max_points(self) -> float:
        """Points that the whole assignment is worth."""
        return sum(cell.max_points for cell in self.cells)

    @property
    def marked_max_points(self) -> float:
        """Points that the marked part is worth."""
        return sum(cell.max_points for cell in self.cells if cell.points is not None)

    @property
    def share(self) -> float | None:
        """Points over the points of the marked part; None while nothing is marked."""
        return self.points / self.marked_max_points if self.marked_max_points else None

    @property
    def waiting(self) -> int:
        """Cells that a person has still to mark."""
        return sum(cell.points is None for cell in self.cells)
