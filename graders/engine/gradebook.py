"""Writes results into nbgrader's gradebook: the rows that `nbgrader autograde` would leave, many at a time.

nbgrader commits for every cell. Here all rows of some submissions are one transaction, so a reader never
meets a submission half graded, and who is killed leaves whole ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

from nbgrader import api
from nbgrader.utils import parse_utc
from sqlalchemy import make_url, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from graders.engine.history import ScoreChange, prepare_history, record_changes
from graders.engine.late import set_late_penalty
from graders.engine.plan import AssignmentPlan, known_cells
from graders.engine.results import CellGrade, GradedNotebook, GradedSubmission, Remark, SubmissionContent
from graders.repair.source import SourceCell

BUSY_SECONDS = 60
"""How long a transaction waits for another process that writes an embedded gradebook."""
FORGEABLE = "This test ran beside the learner's code, which could have forged its result: {reason}"
_TRIES = 3

First = Callable[[Session], None]


class Outdated(LookupError):
    """Submissions were graded by other tests than the gradebook has by now."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A submission and what came of it."""

    content: SubmissionContent
    result: GradedSubmission


class Gradebook:
    """A gradebook that is open for grading.

    Args:
        url: Its address.
        course_id: nbgrader's.
    """

    def __init__(self, url: str, course_id: str) -> None:
        self._nbgrader = api.Gradebook(_patient(url), course_id)
        self.engine = self._nbgrader.engine
        prepare_history(self.engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._nbgrader.close()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session to read with."""
        with Session(self.engine) as session:
            yield session

    def write(
        self, plan: AssignmentPlan, finished: Sequence[Finished], first: First = lambda _session: None
    ) -> dict[str, tuple[Remark, ...]]:
        """Record what came of submissions, in one transaction: all of them, or none.

        Args:
            plan: How they were graded.
            finished: What came of them.
            first: Is called before, in the same transaction; may be called again if that fails.

        Returns:
            By student, what there is to be said about the rows.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: Nothing was recorded.
            Outdated: Nothing was recorded, since tests were changed while these were graded.
        """
        for _ in range(_TRIES - 1):
            try:
                return self._write(plan, finished, first)
            except (IntegrityError, OperationalError):
                # Another process has just added the same student, or writes for a long time.
                continue
        return self._write(plan, finished, first)

    def _write(
        self, plan: AssignmentPlan, finished: Sequence[Finished], first: First
    ) -> dict[str, tuple[Remark, ...]]:
        with Session(self.engine) as session, session.begin():
            first(session)
            rows = _Rows(session, plan)
            rows.refuse_outdated()
            return {each.content.student: tuple(rows.write(each)) for each in finished}


@dataclass(frozen=True, slots=True)
class _Cells:
    """A notebook's cells in the gradebook, id by name: those with a grade, and those with a comment."""

    graded: Mapping[str, str]
    commented: Mapping[str, str]


class _Rows:
    """The rows of one assignment, in one transaction."""

    def __init__(self, session: Session, plan: AssignmentPlan) -> None:
        self._session = session
        self._plan = plan
        assignment = session.scalars(
            select(api.Assignment).where(api.Assignment.name == plan.assignment)
        ).one()
        self._assignment = assignment
        self._assignment_id = assignment.id
        self._notebook_ids = {notebook.name: notebook.id for notebook in assignment.notebooks}
        self._cells = {notebook.id: _cells(notebook) for notebook in assignment.notebooks}

    def refuse_outdated(self) -> None:
        """Raise `Outdated` if the gradebook's tests are no longer those of the plan."""
        for notebook in self._assignment.notebooks:
            planned = self._plan.notebooks.get(notebook.name)
            known = {cell.grade_id: cell for cell in known_cells(notebook)}
            if planned is not None and not same_cells(planned.source.named, known):
                raise Outdated(f"The tests of {notebook.name}.ipynb were changed meanwhile. Grade it again.")

    def write(self, finished: Finished) -> Iterator[Remark]:
        content, result = finished.content, finished.result
        self._name_student(content)
        submission = self._submission(content.student)
        if content.timestamp is not None:
            submission.timestamp = parse_utc(content.timestamp)
        if content.due_at is not None and self._assignment.duedate is not None:
            longer = parse_utc(content.due_at) - self._assignment.duedate
            submission.extension = longer if longer > timedelta(0) else None
        if not result.is_graded:
            # It is there and waits for a person; scores of an earlier one stay.
            return
        rows = {row.notebook_id: row for row in submission.notebooks}
        for name in result.missing:
            for grade in self._grades(rows[self._notebook_ids[name]]).values():
                grade.auto_score, grade.needs_manual_grade = 0, False
        for notebook in result.notebooks:
            row = rows[self._notebook_ids[notebook.name]]
            self._grade(row, notebook, content.student)
            self._comment(row, notebook)
            yield from self._set_penalty(row, notebook.name)

    def _name_student(self, content: SubmissionContent) -> None:
        student = self._session.get(api.Student, content.student)
        if student is None:
            student = api.Student(id=content.student)
            self._session.add(student)
        if content.first_name is not None:
            student.first_name = content.first_name
        if content.last_name is not None:
            student.last_name = content.last_name

    def _submission(self, student: str) -> api.SubmittedAssignment:
        """Return the row of a submission, made with all that belongs to it where it is missing."""
        query = select(api.SubmittedAssignment).where(
            api.SubmittedAssignment.assignment_id == self._assignment_id,
            api.SubmittedAssignment.student_id == student,
        )
        submission = self._session.scalars(query).one_or_none()
        if submission is None:
            submission = api.SubmittedAssignment(assignment_id=self._assignment_id, student_id=student)
            self._session.add(submission)
            self._session.flush()
        known = {row.notebook_id for row in submission.notebooks}
        for notebook_id in [each for each in self._cells if each not in known]:
            submission.notebooks.append(api.SubmittedNotebook(notebook_id=notebook_id))
        self._session.flush()
        for row in submission.notebooks:
            complete(row)
        return submission

    def _grades(self, row: api.SubmittedNotebook) -> dict[str, api.Grade]:
        by_id = {grade.cell_id: grade for grade in row.grades}
        return {name: by_id[cell] for name, cell in self._cells[row.notebook_id].graded.items()}

    def _grade(self, row: api.SubmittedNotebook, notebook: GradedNotebook, student: str) -> None:
        grades = self._grades(row)
        changes = []
        for given in notebook.grades:
            grade = grades[given.cell]
            before = (grade.auto_score, _waits(grade))
            _set_score(grade, given)
            after = (grade.auto_score, _waits(grade))
            # A grade without a score that waits is one that was never given.
            if before not in (after, (None, True)):
                place = (self._plan.assignment, student, notebook.name, given.cell)
                changes.append(ScoreChange(*place, before[0], after[0], before[1], after[1]))
        record_changes(self._session, changes)

    def _comment(self, row: api.SubmittedNotebook, notebook: GradedNotebook) -> None:
        cells = self._cells[row.notebook_id]
        comments = {comment.cell_id: comment for comment in row.comments}
        for given in notebook.comments:
            comments[cells.commented[given.cell]].auto_comment = given.auto_comment
        for grade in notebook.grades:
            # nbgrader has no comment on a test; this one is for who reads the gradebook.
            cell_id = cells.graded[grade.cell]
            if grade.forgeable and cell_id not in comments:
                comments[cell_id] = api.Comment(cell_id=cell_id)
                row.comments.append(comments[cell_id])
            if cell_id in comments and grade.cell not in cells.commented:
                reason = FORGEABLE.format(reason=grade.forgeable)
                comments[cell_id].auto_comment = reason if grade.forgeable else None

    def _set_penalty(self, row: api.SubmittedNotebook, name: str) -> Iterator[Remark]:
        if self._plan.steps.late is None:
            return
        try:
            set_late_penalty(self._plan.steps.late, self._plan.config, self._session, row)
        # The course's own plug-in: what it raises is told, and costs nobody else anything.
        except Exception as error:
            yield Remark(
                "step", f"The late policy failed, no penalty is set: {type(error).__name__}: {error}", name
            )


def same_cells(one: Mapping[str, SourceCell], other: Mapping[str, SourceCell]) -> bool:
    """Return whether cells by name have the same text, kind and weight."""
    return _described(one) == _described(other)


def _described(cells: Mapping[str, SourceCell]) -> dict[str, SourceCell]:
    return {name: replace(cell, checksum="", cell_id="", visible=None) for name, cell in cells.items()}


def complete(row: api.SubmittedNotebook) -> None:
    """Add the grades and comments that a submission lacks: all of them, or of cells that came later."""
    cells = _cells(row.notebook)
    graded = {grade.cell_id for grade in row.grades}
    row.grades += [api.Grade(cell_id=each) for each in cells.graded.values() if each not in graded]
    commented = {comment.cell_id for comment in row.comments}
    row.comments += [api.Comment(cell_id=each) for each in cells.commented.values() if each not in commented]


def _waits(grade: api.Grade) -> bool:
    # A new one has no value yet; its default is to wait.
    return grade.needs_manual_grade is not False


def _set_score(grade: api.Grade, given: CellGrade) -> None:
    is_settled = grade.manual_score is not None and not _waits(grade)
    grade.auto_score = (grade.auto_score or 0.0) if given.is_kept else given.auto_score
    grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
    if is_settled and given.is_unchanged:
        # A trainer would read the same again; nbgrader asks for each once more.
        grade.needs_manual_grade = False


def _cells(notebook: api.Notebook) -> _Cells:
    graded = (*notebook.grade_cells, *notebook.task_cells)
    commented = (*notebook.solution_cells, *notebook.task_cells)
    return _Cells({cell.name: cell.id for cell in graded}, {cell.name: cell.id for cell in commented})


def _patient(url: str) -> str:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        parsed = parsed.update_query_dict({"timeout": str(BUSY_SECONDS)})
    return parsed.render_as_string(hide_password=False)
