"""What grading again by changed tests does to whom: points before and after, and which test is the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Change = Literal["added", "removed", "text", "points", "answer", "setup"]
"""Why points of a cell may differ: its test is new, is gone, says something else, gives other points; or what
was submitted is newer than what was graded; or a cell of the author's that is no test was changed."""
Verdict = Literal["loses", "gains", "stays"]


@dataclass(frozen=True, slots=True)
class CellOutcome:
    """A graded cell before and after; points are None where there were none, or a person still gives them."""

    notebook: str
    cell: str
    before: float | None
    after: float | None
    max_before: float | None
    max_after: float | None
    why: tuple[Change, ...] = ()
    message: str = ""
    """The first thing that fails in its test now; empty if nothing does."""


@dataclass(frozen=True, slots=True)
class LearnerOutcome:
    """A submission before and after; totals count marks, extra credit and late penalties as nbgrader does."""

    student: str
    before: float | None
    after: float | None
    max_before: float
    max_after: float
    cells: tuple[CellOutcome, ...] = ()
    problem: str = ""
    """Why it could not be graded; empty if it was."""

    @property
    def difference(self) -> float:
        return (self.after or 0.0) - (self.before or 0.0)

    @property
    def verdict(self) -> Verdict:
        if self.problem or not self.difference:
            return "stays"
        return "gains" if self.difference > 0 else "loses"


@dataclass(frozen=True, slots=True)
class Regrade:
    """What a regrade did, or would do; learners sorted by how much they lose, then gain."""

    assignment: str
    is_rehearsal: bool
    learners: tuple[LearnerOutcome, ...]

    @property
    def exit_code(self) -> int:
        return int(any(each.problem for each in self.learners))
