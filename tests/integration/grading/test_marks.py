"""Marks given by hand are seen once they are released, and stay."""

from __future__ import annotations

from pathlib import Path

from nbformat import NotebookNode
from nbgrader.api import Gradebook

from course.database import Database
from course.grading import GradingQueue
from course.submissions import Submission
from graders.worker import Grader
from tests.handing_in import MODULE, Deployment, cell_of, edited
from tests.integration.grading.worker import graded, points_of


def test_marks_given_by_hand_are_seen_once_they_are_released(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    def answer(notebook: NotebookNode) -> None:
        cell_of(notebook, "explain-missing").source = "Because the export lost them."

    submission = graded(deployment, grader, "dan", edited(deployment.source_dir, tmp_path / "a", answer))
    with Gradebook(deployment.state.gradebook_url) as gradebook:
        grade = gradebook.find_grade("explain-missing", "exercises", MODULE, "dan")
        grade.manual_score, grade.needs_manual_grade = 3, False
        comment = gradebook.find_comment("explain-missing", "exercises", MODULE, "dan")
        comment.manual_comment = "Well <b>seen</b>"
        gradebook.db.commit()
    before = deployment.feedback(submission)
    database = Database(deployment.state.database_url)
    assert [found.id for found in GradingQueue(database).release_marks(MODULE, "dan")] == [submission.id]
    while grader.work():
        pass
    database.close()
    after = deployment.feedback(submission)
    cell = next(cell for cell in after.cells if cell.cell == "explain-missing")
    assert (cell.points, cell.comment) == (3, "Well <b>seen</b>")
    assert after.points == before.points + 3
    assert after.complete
    assert "Well &lt;b&gt;seen&lt;/b&gt;" in deployment.page(submission)
    assert deployment.now(submission).points == after.points


def test_a_mark_stays_settled_when_the_same_answer_is_graded_again(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    def answer(text: str) -> Path:
        def write(notebook: NotebookNode) -> None:
            cell_of(notebook, "explain-missing").source = text

        return edited(deployment.source_dir, tmp_path / text[:3], write)

    def grade_again(submission: Submission) -> tuple[float | None, bool]:
        database = Database(deployment.state.database_url)
        GradingQueue(database).grade_again(submission.id)
        database.close()
        while grader.work():
            pass
        return mark()

    def mark() -> tuple[float | None, bool]:
        with Gradebook(deployment.state.gradebook_url) as gradebook:
            grade = gradebook.find_grade("explain-missing", "exercises", MODULE, "cleo")
            return grade.manual_score, grade.needs_manual_grade

    submission = graded(deployment, grader, "cleo", answer("Because <script>x</script> of the export."))
    with Gradebook(deployment.state.gradebook_url) as gradebook:
        grade = gradebook.find_grade("explain-missing", "exercises", MODULE, "cleo")
        grade.manual_score, grade.needs_manual_grade = 3, False
        gradebook.db.commit()
    database = Database(deployment.state.database_url)
    GradingQueue(database).release_marks(MODULE, "cleo")
    database.close()
    assert grade_again(submission) == (3, False)
    assert points_of(deployment, submission)["explain-missing"] == 3
    other = graded(deployment, grader, "cleo", answer("Another answer."))
    assert mark() == (3, True)
    assert grade_again(other) == (3, True), "nobody has read it yet"
