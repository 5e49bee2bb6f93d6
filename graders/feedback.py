"""What a learner is told about a graded submission.

The scores come from the gradebook, everything else from the notebooks that ran without hidden tests
(`graders.execution`). Marks and comments that a person gave appear only once they are released.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from nbformat import NotebookNode
from nbgrader.api import Grade, Gradebook, GradeCell, SubmittedNotebook
from nbgrader.utils import is_grade, is_solution, is_task

from course.api import CellFeedback, FeedbackDocument
from course.language import translator
from course.scores import CellKind, quiz_cell
from graders.feedback_message import Translate, why_tests_failed
from graders.grading_course import GradingCourse


def feedback_document(
    course: GradingCourse,
    learner: str,
    assignment: str,
    seen: Mapping[str, NotebookNode],
    *,
    submission: UUID,
    marks_released: bool,
    language: str,
    now: datetime,
) -> FeedbackDocument:
    """Return feedback on the submission that the gradebook holds of `learner`.

    Args:
        course: Whose gradebook.
        learner: Whose work.
        assignment: Which.
        seen: By name, the notebooks as the learner may see them.
        submission: The id that the document gets.
        marks_released: Whether marks and comments given by hand may be shown.
        language: Of the messages, `en` or `fr`.
        now: When this was graded.
    """
    translate = translator("exchange", language)
    cells: list[CellFeedback] = []
    with Gradebook(course.gradebook_url, course.id) as gradebook:
        found = gradebook.find_submission(assignment, learner)
        penalty = sum(notebook.late_submission_penalty or 0.0 for notebook in found.notebooks)
        for notebook in sorted(found.notebooks, key=lambda notebook: notebook.name):
            page = seen.get(notebook.name)
            cells += _cells(notebook, page, assignment, marks_released, translate)
    return FeedbackDocument(
        submission=submission,
        assignment=assignment,
        graded_at=now,
        points=max(0.0, round(sum(cell.points or 0.0 for cell in cells) - penalty, 2)),
        max_points=sum(cell.max_points for cell in cells),
        late_penalty=penalty,
        complete=all(cell.points is not None for cell in cells),
        cells=tuple(cells),
        notebooks=tuple(sorted(seen)),
    )


def _cells(
    notebook: SubmittedNotebook,
    page: NotebookNode | None,
    assignment: str,
    marks_released: bool,
    translate: Translate,
) -> Iterator[CellFeedback]:
    grades: dict[str, Grade] = {grade.name: grade for grade in notebook.grades}
    comments = {comment.name: comment.manual_comment or "" for comment in notebook.comments}
    # A comment of the engine's on a test hangs on the test itself; that on an answer on the answer.
    written = {
        each.name for each in notebook.comments if not isinstance(each.cell, GradeCell)
    } & grades.keys()
    places = list(_graded_cells(page)) if page is not None else []
    in_order = [name for name, _, _ in places if name in grades]
    found = {name: (cell, solutions) for name, cell, solutions in places}
    for name in [*in_order, *sorted(grades.keys() - set(in_order))]:
        grade = grades[name]
        kind: CellKind = "tests"
        if name == quiz_cell(assignment):
            kind = "quiz"
        elif name in written:
            kind = "written"
        points = _points(grade, kind, marks_released)
        cell, solutions = found.get(name, (None, ()))
        given = [comments.get(each, "") for each in (*solutions, name)] if marks_released else []
        yield CellFeedback(
            notebook=notebook.name,
            cell=name,
            kind=kind,
            points=points,
            max_points=float(grade.max_score),
            message=_message(kind, cell, points, grade, translate),
            comment="\n".join(comment for comment in given if comment),
        )


def _graded_cells(page: NotebookNode) -> Iterator[tuple[str, NotebookNode, tuple[str, ...]]]:
    """Yield each graded cell's id, the cell, and the ids of the solution cells before it that it is about."""
    solutions: list[str] = []
    for cell in page.cells:
        if is_grade(cell) or is_task(cell):
            yield cell.metadata.nbgrader.grade_id, cell, tuple(solutions)
            solutions = []
        elif is_solution(cell):
            solutions.append(cell.metadata.nbgrader.grade_id)


def _points(grade: Grade, kind: CellKind, marks_released: bool) -> float | None:
    if marks_released:
        return None if grade.needs_manual_grade else round(float(grade.score), 2)
    # nbgrader gives a written cell a mark of its own only where the answer was left as it came: none.
    if grade.auto_score is None:
        return None if kind == "written" else 0.0
    return round(float(grade.auto_score), 2)


def _message(
    kind: CellKind, cell: NotebookNode | None, points: float | None, grade: Grade, translate: Translate
) -> str:
    if cell is None:
        return translate("This part was not in your submission.")
    if kind == "written":
        untouched = grade.auto_score is not None and grade.manual_score is None
        return translate("You have not written an answer here.") if untouched else ""
    if points is None or points >= grade.max_score:
        return ""
    if kind == "quiz":
        return translate("The points that your answers had when you submitted.")
    return why_tests_failed(cell, translate)
