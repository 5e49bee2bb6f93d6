"""What the read side makes of nbgrader's own gradebook."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from course.scores import AssignmentScore
from graders.gradebook import read_scores

pytestmark = pytest.mark.quick


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gradebook with one assignment: tests, a quiz, and a written answer that waits for its mark."""
    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    url = f"sqlite:///{path}"
    with Gradebook(url) as gradebook:
        gradebook.add_assignment("tables")
        gradebook.add_notebook("exercises", "tables")
        for cell, points, cell_type in [
            ("clean-tests", 2.0, "code"),
            ("quiz-tables", 6.0, "code"),
            ("explain", 3.0, "markdown"),
        ]:
            gradebook.add_grade_cell(cell, "exercises", "tables", max_score=points, cell_type=cell_type)
        gradebook.add_solution_cell("explain", "exercises", "tables")
        for learner in ("ada", "bo"):
            gradebook.add_student(learner)
            gradebook.add_submission("tables", learner, timestamp="2026-03-02 09:30:00 UTC")
            for cell, points in [("clean-tests", 2.0), ("quiz-tables", 4.5)]:
                grade = gradebook.find_grade(cell, "exercises", "tables", learner)
                grade.auto_score, grade.needs_manual_grade = points, False
        gradebook.db.commit()
    return path


@pytest.fixture
def url(made_once: Path, tmp_path: Path) -> str:
    shutil.copy(made_once, tmp_path)
    return f"sqlite:///{tmp_path / made_once.name}"


def mark(url: str, learner: str, points: float) -> None:
    with Gradebook(url) as gradebook:
        grade = gradebook.find_grade("explain", "exercises", "tables", learner)
        grade.manual_score, grade.needs_manual_grade = points, False
        gradebook.db.commit()


def score_of(url: str, learner: str) -> AssignmentScore:
    (score,) = read_scores(url, learner=learner, assignment="tables")
    return score


def test_before_the_first_grading_there_are_no_scores_and_no_file_is_made(tmp_path: Path) -> None:
    assert read_scores(f"sqlite:///{tmp_path / 'gradebook.db'}") == ()
    assert list(tmp_path.iterdir()) == []


def test_an_empty_gradebook_file_holds_no_scores(tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").touch()
    assert read_scores(f"sqlite:///{tmp_path / 'gradebook.db'}") == ()


def test_a_cell_that_waits_for_a_person_has_no_points_and_does_not_count_against_the_learner(
    url: str,
) -> None:
    score = score_of(url, "ada")
    assert {cell.cell: cell.points for cell in score.cells} == {
        "clean-tests": 2.0,
        "explain": None,
        "quiz-tables": 4.5,
    }
    assert (score.points, score.marked_max_points, score.max_points, score.waiting) == (6.5, 8.0, 11.0, 1)


def test_each_cell_says_whether_tests_a_person_or_the_quiz_gave_its_points(url: str) -> None:
    kinds = {cell.cell: cell.kind for cell in score_of(url, "ada").cells}
    assert kinds == {"clean-tests": "tests", "explain": "written", "quiz-tables": "quiz"}


def test_a_code_cell_that_is_also_the_answer_is_marked_by_a_person(url: str) -> None:
    with Gradebook(url) as gradebook:
        gradebook.add_notebook("project", "tables")
        gradebook.add_grade_cell("chart", "project", "tables", max_score=1, cell_type="code")
        gradebook.add_solution_cell("chart", "project", "tables")
        gradebook.add_student("cleo")
        gradebook.add_submission("tables", "cleo")
    (chart,) = (cell for cell in score_of(url, "cleo").cells if cell.notebook == "project")
    assert chart.kind == "written"


def test_the_total_is_what_nbgrader_says_less_the_late_penalty(url: str) -> None:
    mark(url, "ada", 2.5)
    with Gradebook(url) as gradebook:
        submission = gradebook.find_submission("tables", "ada")
        submission.notebooks[0].late_submission_penalty = 1.5
        gradebook.db.commit()
        expected = submission.score - submission.late_submission_penalty
    score = score_of(url, "ada")
    assert score.points == expected == 7.5
    assert score.waiting == 0


def test_the_time_of_a_submission_is_aware_utc(url: str) -> None:
    assert score_of(url, "bo").submitted_at == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_reading_leaves_the_file_as_it_is(url: str, tmp_path: Path) -> None:
    file = tmp_path / "gradebook.db"
    before = file.read_bytes()
    file.chmod(0o400)
    assert [score.learner for score in read_scores(url)] == ["ada", "bo"]
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["gradebook.db"]
