"""A submission gets the points of its answers, whatever its code does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from course.database import Database
from course.events import Event, EventStore
from course.quiz import QuizBank
from course.quiz.model import Question
from graders.worker import Grader
from hub_config.settings import SAMPLE_MODULES_DIR
from tests.handing_in import EXERCISE, MODULE, Deployment, cell_of, edited, with_code
from tests.integration.grading.worker import graded, points_of

STUBBORN_LOOP = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    pass
"""


def test_a_correct_solution_gets_every_automatic_point(deployment: Deployment, grader: Grader) -> None:
    submission = graded(deployment, grader, "ada", deployment.source_dir)
    assert (submission.state, submission.problem) == ("graded", "")
    document = deployment.feedback(submission)
    tests = [cell for cell in document.cells if cell.kind == "tests"]
    assert len(tests) >= 4
    assert [cell for cell in tests if cell.points != cell.max_points or cell.message] == []
    assert [cell.points for cell in document.cells if cell.kind == "written"] == [None]
    assert not document.complete
    assert document.points == sum(cell.max_points for cell in tests)
    with Gradebook(deployment.state.gradebook_url) as gradebook:
        found = gradebook.find_submission(MODULE, "ada")
        assert (found.score, found.needs_manual_grade) == (document.points, True)
        assert found.student.first_name == "Ada"


def test_an_untouched_assignment_gets_nothing_and_says_why(deployment: Deployment, grader: Grader) -> None:
    submission = graded(deployment, grader, "ben", deployment.release_dir)
    document = deployment.feedback(submission)
    assert (submission.points, document.points, document.complete) == (0, 0, True)
    assert all(cell.message for cell in document.cells if cell.kind != "quiz")


def test_the_reason_of_a_failed_test_is_told(deployment: Deployment, grader: Grader, tmp_path: Path) -> None:
    def break_it(notebook: NotebookNode) -> None:
        cell = cell_of(notebook, EXERCISE)
        cell.source += "\ndef tidy_columns(*args):\n    raise ValueError('wrong turn <script>')\n"

    submission = graded(deployment, grader, "cleo", edited(deployment.source_dir, tmp_path / "a", break_it))
    cells = {cell.cell: cell for cell in deployment.feedback(submission).cells}
    failed = cells[f"{EXERCISE}-tests"]
    assert failed.points == 0
    assert failed.message
    assert cells["parse-amounts-tests"].points == cells["parse-amounts-tests"].max_points
    assert "<script" not in deployment.page(submission)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os; os._exit(1)", "kernel stopped"),
        ("while True: pass", "too long"),
        (STUBBORN_LOOP, "too long"),
    ],
    ids=["kills its kernel", "loops", "loops and ignores the interrupt"],
)
def test_a_notebook_that_stops_its_kernel_is_graded_and_passes_nothing_more(
    deployment: Deployment, grader: Grader, tmp_path: Path, code: str, message: str
) -> None:
    good = deployment.hand_in("ada", deployment.source_dir)
    folder = edited(deployment.source_dir, tmp_path / "a", with_code(code, "large-open-lines"))
    bad = deployment.hand_in("eve", folder)
    while grader.work():
        pass
    bad, good = deployment.now(bad), deployment.now(good)
    assert (bad.state, good.state) == ("graded", "graded")
    points = points_of(deployment, bad)
    assert points[f"{EXERCISE}-tests"] == 2, "what came before still counts"
    assert points["large-open-lines-tests"] == 0
    assert message in deployment.page(bad)
    assert points_of(deployment, good)["large-open-lines-tests"] == 2


def test_output_without_end_is_cut(deployment: Deployment, grader: Grader, tmp_path: Path) -> None:
    folder = edited(deployment.source_dir, tmp_path / "a", with_code("print('x' * 50_000_000)"))
    submission = graded(deployment, grader, "eve", folder)
    assert submission.state == "graded"
    assert len(deployment.page(submission)) < 2_000_000
    assert points_of(deployment, submission)[f"{EXERCISE}-tests"] == 2


def test_a_missing_notebook_gets_nothing_and_the_other_is_graded(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    folder = edited(deployment.source_dir, tmp_path / "a", lambda _notebook: None)
    (folder / "lesson.ipynb").unlink()
    submission = graded(deployment, grader, "eve", folder)
    cells = {cell.cell: cell for cell in deployment.feedback(submission).cells}
    assert cells[f"quiz-{MODULE}"].message == "This part was not in your submission."
    assert cells[f"{EXERCISE}-tests"].points == 2


def test_quiz_points_are_those_of_the_answers_given_before_submitting(
    deployment: Deployment, grader: Grader
) -> None:
    quiz = QuizBank(SAMPLE_MODULES_DIR).get(MODULE)
    first, second = quiz.questions[:2]
    database = Database(deployment.state.database_url)
    record_right_answer(database, first)
    submission = deployment.hand_in("ada", deployment.source_dir)
    record_right_answer(database, second)
    while grader.work():
        pass
    database.close()
    assert points_of(deployment, submission)[f"quiz-{MODULE}"] == first.points
    with Gradebook(deployment.state.gradebook_url) as gradebook:
        grade = gradebook.find_grade(f"quiz-{MODULE}", "lesson", MODULE, "ada")
        assert (grade.auto_score, grade.needs_manual_grade) == (first.points, False)


def record_right_answer(database: Database, question: Question) -> None:
    """Record that Ada has just answered a question of the module's quiz."""
    data = {"answer": "", "points": question.points, "max_points": question.points, "right": True}
    subject = f"{MODULE}/{question.id}"
    event = Event(uuid4(), "ada", "quiz.answered", datetime.now(UTC), subject, {**data, "attempt": 1})
    assert EventStore(database).record(event)


def test_every_result_is_an_event(deployment: Deployment, grader: Grader) -> None:
    submission = graded(deployment, grader, "ben", deployment.release_dir)
    database = Database(deployment.state.database_url)
    events = EventStore(database).events(learner="ben", kind="assignment.graded")
    database.close()
    assert events[-1].data == {"submission": str(submission.id), "points": 0.0, "max_points": 31.0}
