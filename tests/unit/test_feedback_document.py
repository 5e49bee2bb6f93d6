"""What a learner is told by what the gradebook holds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader import api

from course.api import FeedbackDocument
from graders.feedback import feedback_document
from graders.feedback_page import feedback_page
from graders.grading_course import GradingCourse

pytestmark = pytest.mark.quick


@pytest.fixture
def course(tmp_path: Path) -> GradingCourse:
    """A gradebook with tests that gave all their points beside learner code, and an answer that waits."""
    course = GradingCourse(tmp_path, "sample")
    with api.Gradebook(course.gradebook_url, course.id) as gradebook:
        gradebook.add_assignment("tables")
        gradebook.add_notebook("exercises", "tables")
        gradebook.add_grade_cell("mean-tests", "exercises", "tables", max_score=2.5, cell_type="code")
        gradebook.add_grade_cell("explain", "exercises", "tables", max_score=1, cell_type="markdown")
        gradebook.add_solution_cell("explain", "exercises", "tables")
        gradebook.add_student("ada")
        submission = gradebook.add_submission("tables", "ada")
        grade = gradebook.find_grade("mean-tests", "exercises", "tables", "ada")
        grade.auto_score, grade.needs_manual_grade = 2.5, False
        gradebook.find_grade("explain", "exercises", "tables", "ada").needs_manual_grade = True
        remark = api.Comment(cell_id=grade.cell_id, auto_comment="Learner code could have forged this.")
        submission.notebooks[0].comments.append(remark)
        gradebook.db.commit()
    return course


def seen() -> NotebookNode:
    def named(cell: NotebookNode, name: str, *, is_solution: bool) -> NotebookNode:
        cell.metadata.nbgrader = {"grade_id": name, "grade": True, "solution": is_solution}
        return cell

    return new_notebook(
        cells=[
            named(new_code_cell("assert mean([1]) == 1"), "mean-tests", is_solution=False),
            named(new_markdown_cell("Because."), "explain", is_solution=True),
        ]
    )


def told(course: GradingCourse, language: str) -> FeedbackDocument:
    return feedback_document(
        course,
        "ada",
        "tables",
        {"exercises": seen()},
        submission=uuid4(),
        marks_released=False,
        language=language,
        now=datetime.now(UTC),
    )


def test_a_test_with_a_remark_for_the_trainer_stays_a_test_to_its_learner(course: GradingCourse) -> None:
    tests, written = told(course, "en").cells
    assert (tests.kind, tests.points, tests.message, tests.comment) == ("tests", 2.5, "", "")
    assert (written.kind, written.points) == ("written", None)


@pytest.mark.parametrize(
    ("language", "score", "waits"),
    [
        ("en", "2.5 of 2.5 points", "Waits for your trainer (1 point)"),
        ("fr", "2,5 sur 2,5 points", "En attente de votre formateur (1 point)"),
    ],
)
def test_a_page_is_in_the_language_of_its_reader(
    language: str, score: str, waits: str, course: GradingCourse
) -> None:
    page = feedback_page(seen(), "exercises", told(course, language), language)
    assert f'<html lang="{language}">' in page
    assert score in page
    assert waits in page
