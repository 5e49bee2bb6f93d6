"""`spoc grade regrade`: submissions graded by the newest tests, and who gets other points for what reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbgrader import api
from sqlalchemy import select
from sqlalchemy.orm import Session

from graders.engine.batch import Line, Report
from graders.engine.course import Choices, CourseGrading, open_course
from graders.engine.gradebook import Finished
from graders.engine.plan import AssignmentPlan
from graders.engine.version import newest_version, take_over
from graders.engine.writing import Written
from graders.repair.source import SourceCell

Place = tuple[str, str, str]
"""Student, notebook, cell."""


@dataclass(frozen=True, slots=True)
class Score:
    """The points of a cell, None where it waits for a person, of how many."""

    points: float | None
    max_points: float
    is_by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What regrading changes of a cell; `before` is None for a new cell, `after` for one that is gone."""

    student: str
    notebook: str
    cell: str
    before: Score | None
    after: Score | None
    why: str


@dataclass(frozen=True, slots=True)
class Regrading:
    """What regrading did, or would do."""

    report: Report
    changes: tuple[Change, ...]
    is_dry: bool


def regrade(
    course_dir: Path,
    assignment: str,
    choices: Choices,
    *,
    dry_run: bool,
    begin: Callable[[int], None] = lambda _count: None,
    tell: Callable[[Line | None], None] = lambda _line: None,
) -> Regrading:
    """Grade all submissions of an assignment by what its source says now.

    Args:
        course_dir: An nbgrader course directory.
        assignment: Its name.
        choices: How.
        dry_run: Change nothing, only tell.
        begin: As of `grade_course`.
        tell: As of `grade_course`.

    Raises:
        CourseError: The source cannot be released, or a cell with marks by hand is gone.
    """
    with open_course(course_dir, assignment) as grading:
        old = grading.plan
        grading.plan = newest_version(old)
        with grading.gradebook.reading() as session:
            before = scores(session, assignment)
        if not dry_run:
            with Session(grading.gradebook.engine) as session, session.begin():
                take_over(session, grading.plan)
        writer = _Recording(grading, is_dry=dry_run)
        report = grading.grade(choices, writer, begin, tell)
        changes = tuple(_changes(old, grading.plan, before, writer.finished))
        return Regrading(report, changes, dry_run)


class _Recording:
    """Keeps what was graded, and hands it on unless nothing is to be changed."""

    def __init__(self, grading: CourseGrading, *, is_dry: bool) -> None:
        self._writer = None if is_dry else grading.writer()
        self.finished: list[Finished] = []

    def write(self, finished: Sequence[Finished]) -> tuple[Written, ...]:
        self.finished += finished
        if self._writer is None:
            return tuple(Written(each) for each in finished)
        return self._writer.write(finished)


def scores(session: Session, assignment: str) -> dict[Place, Score]:
    """Return what the gradebook holds for every graded cell of an assignment."""
    rows = session.execute(
        select(api.SubmittedAssignment.student_id, api.Notebook.name, api.BaseCell.name, api.Grade)
        .select_from(api.Grade)
        .join(api.SubmittedNotebook, api.Grade.notebook_id == api.SubmittedNotebook.id)
        .join(api.SubmittedAssignment, api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id)
        .join(api.Notebook, api.SubmittedNotebook.notebook_id == api.Notebook.id)
        .join(api.Assignment, api.Notebook.assignment_id == api.Assignment.id)
        .join(api.BaseCell, api.Grade.cell_id == api.BaseCell.id)
        .where(api.Assignment.name == assignment)
    )
    return {
        (student, notebook, cell): Score(
            grade.auto_score if grade.manual_score is None else grade.manual_score,
            float(grade.max_score),
            grade.manual_score is not None,
        )
        for student, notebook, cell, grade in rows
    }


def _changes(
    old: AssignmentPlan, new: AssignmentPlan, before: Mapping[Place, Score], finished: Sequence[Finished]
) -> Iterator[Change]:
    for each in sorted(finished, key=lambda each: each.content.student):
        for notebook in each.result.notebooks:
            was, now = (plan.notebooks[notebook.name].source.named for plan in (old, new))
            place = (each.content.student, notebook.name)
            after = {
                grade.cell: _after(grade.auto_score, now[grade.cell].points, before.get((*place, grade.cell)))
                for grade in notebook.grades
                if not grade.is_kept
            }
            gone = [cell for cell in was if was[cell].grade and cell not in now]
            for cell in (*after, *gone):
                earlier, later = before.get((*place, cell)), after.get(cell)
                if earlier != later:
                    yield Change(*place, cell, earlier, later, _why(was.get(cell), now.get(cell)))


def _after(points: float | None, max_points: float, before: Score | None) -> Score:
    if before is not None and before.is_by_hand:
        return Score(before.points, max_points, is_by_hand=True)
    return Score(points, max_points)


def _why(was: SourceCell | None, now: SourceCell | None) -> str:
    if was is None:
        return "a new cell"
    if now is None:
        return "the cell is gone"
    reasons = []
    if was.points != now.points:
        reasons.append(f"worth {now.points:g} instead of {was.points:g}")
    if was.source != now.source and now.locked:
        reasons.append("the test was changed")
    return ", ".join(reasons) or "the same test with another result"
