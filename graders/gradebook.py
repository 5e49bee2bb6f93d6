"""The read side of nbgrader's gradebook: scores as frozen types.

`nbgrader.api.Gradebook` writes when it is opened (it adds its course, and tables that are missing), so a
reader uses nbgrader's own mapped classes on a connection that cannot write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from nbgrader import api
from sqlalchemy import URL, Engine, create_engine, inspect, make_url, select
from sqlalchemy.orm import Session, aliased, selectinload, with_polymorphic

from course.errors import NotFound
from course.scores import AssignmentScore, CellKind, CellScore, quiz_cell
from graders.engine.history import ScoreChange, read_history


def read_scores(
    gradebook_url: str, *, learner: str | None = None, assignment: str | None = None
) -> tuple[AssignmentScore, ...]:
    """Return what the gradebook holds, by learner and assignment.

    Args:
        gradebook_url: nbgrader's database, as SQLAlchemy takes it.
        learner: Only this learner's.
        assignment: Only this assignment's.

    Returns:
        One score for each autograded submission; empty while there is no gradebook yet.
    """
    with _reading(gradebook_url) as engine:
        if engine is None:
            return ()
        with Session(engine) as session:
            return _scores(session, learner, assignment)


def read_changes(
    gradebook_url: str, assignment: str, learners: Collection[str] = ()
) -> tuple[tuple[datetime, ScoreChange], ...]:
    """Return every change of automatic scores with its time (UTC), oldest first.

    Args:
        gradebook_url: nbgrader's database, as SQLAlchemy takes it.
        assignment: Whose scores.
        learners: Only theirs; everybody's if there are none.

    Raises:
        NotFound: There is no gradebook, or it does not know the assignment.
    """
    with _reading(gradebook_url) as engine:
        if engine is None:
            raise NotFound("Nothing is graded yet: there is no gradebook.", "Run: spoc grade run ASSIGNMENT")
        with Session(engine) as session:
            known = session.scalars(select(api.Assignment.name).order_by(api.Assignment.name)).all()
        if assignment not in known:
            raise NotFound(
                f"The gradebook has no assignment {assignment!r}.", f"It has: {', '.join(known) or 'none'}."
            )
        changes = read_history(engine, assignment)
    return tuple(each for each in changes if not learners or each[1].student in learners)


@contextmanager
def _reading(gradebook_url: str) -> Iterator[Engine | None]:
    """Give a connection that cannot write; None while there is no gradebook."""
    url = make_url(gradebook_url)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        yield None
        return
    engine = create_engine(_read_only(url))
    try:
        yield engine if inspect(engine).has_table(api.SubmittedAssignment.__tablename__) else None
    finally:
        engine.dispose()


def _read_only(url: URL) -> URL:
    if url.get_backend_name() != "sqlite":
        return url
    return url.set(database=f"file:{Path(str(url.database)).absolute()}", query={"mode": "ro", "uri": "true"})


def _scores(session: Session, learner: str | None, assignment: str | None) -> tuple[AssignmentScore, ...]:
    submissions = (
        select(api.SubmittedAssignment)
        .join(api.Assignment)
        .join(api.Student)
        .options(
            selectinload(api.SubmittedAssignment.notebooks),
            selectinload(api.SubmittedAssignment.assignment),
        )
    )
    if learner is not None:
        submissions = submissions.where(api.Student.id == learner)
    if assignment is not None:
        submissions = submissions.where(api.Assignment.name == assignment)
    found = session.scalars(submissions.order_by(api.Student.id, api.Assignment.name)).all()
    cells = _cells(session, [submission.id for submission in found])
    return tuple(
        AssignmentScore(
            learner=submission.student_id,
            assignment=submission.name,
            submitted_at=submission.timestamp and submission.timestamp.replace(tzinfo=UTC),
            late_penalty=sum(notebook.late_submission_penalty or 0.0 for notebook in submission.notebooks),
            cells=tuple(cells[submission.id]),
        )
        for submission in found
    )


def _cells(session: Session, submissions: Iterable[str]) -> dict[str, list[CellScore]]:
    """Return the graded cells of each submission, by its id: one query, not several for every cell."""
    graded = with_polymorphic(api.BaseCell, [api.GradeCell, api.TaskCell])
    answer = aliased(api.SolutionCell, flat=True)
    answered_by_hand = (
        select(answer.id)
        .where(answer.notebook_id == graded.notebook_id, answer.name == graded.name)
        .correlate(graded)
        .exists()
    )
    rows = session.execute(
        select(
            api.SubmittedNotebook.assignment_id,
            api.Assignment.name,
            api.Notebook.name,
            graded,
            answered_by_hand,
            api.Grade.needs_manual_grade,
            api.Grade.score,
        )
        .select_from(api.Grade)
        .join(api.SubmittedNotebook, api.Grade.notebook_id == api.SubmittedNotebook.id)
        .join(api.Notebook, api.SubmittedNotebook.notebook_id == api.Notebook.id)
        .join(api.Assignment, api.Notebook.assignment_id == api.Assignment.id)
        .join(graded, api.Grade.cell_id == graded.id)
        .where(api.SubmittedNotebook.assignment_id.in_(submissions))
        .order_by(api.Notebook.name, graded.name)
    )
    cells = defaultdict(list)
    for submission, assignment, notebook, cell, by_hand, waiting, points in rows:
        cells[submission].append(
            CellScore(
                notebook=notebook,
                cell=cell.name,
                kind=_kind(assignment, cell, by_hand),
                points=None if waiting else float(points),
                max_points=float(cell.max_score),
            )
        )
    return cells


def _kind(assignment: str, cell: api.GradeCell | api.TaskCell, by_hand: bool) -> CellKind:
    if cell.name == quiz_cell(assignment):
        return "quiz"
    # nbgrader runs no tests in a cell that is also the learner's answer, nor in a task.
    return "written" if by_hand or isinstance(cell, api.TaskCell) else "tests"
