"""`spoc grade regrade` of a course that the hub runs: who hears of it, and what stays."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from course.database import Database
from course.grading import GradingQueue
from course.submissions import Submission
from graders.engine.course import Choices
from graders.engine.regrade_report import as_document
from graders.regrading import Deployment as Regraded
from graders.regrading import regrade_deployment
from graders.worker import Grader
from hub_config.cli import spoc
from hub_config.settings import SAMPLE_MODULES_DIR
from tests.handing_in import EXERCISE, MODULE, Deploy, Deployment, cell_of, edited

TEST = f"{EXERCISE}-tests"
STRICTER = """### BEGIN HIDDEN TESTS
noted = tidy_columns(pd.DataFrame([[1]], columns=[" Qty!"]))
assert list(noted.columns) == ["qty!"], "Other signs stay"
"""
LAX = """
_asked = tidy_columns
def tidy_columns(table):
    return table if " Qty!" in table.columns else _asked(table)
"""


def lax(notebook: NotebookNode) -> None:
    cell_of(notebook, EXERCISE).source += LAX


def stricter(notebook: NotebookNode) -> None:
    cell = cell_of(notebook, TEST)
    cell.source = cell.source.replace("### BEGIN HIDDEN TESTS\n", STRICTER)


def change_source(deployment: Deployment, change: Callable[[NotebookNode], None]) -> None:
    path = deployment.source_dir / "exercises.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def deployment(deploy: Deploy) -> Deployment:
    return deploy("ada,Ada,,learner", "ben,Ben,,learner")


@pytest.fixture(scope="module")
def submissions(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Submission]:
    folder = edited(deployment.source_dir, tmp_path_factory.mktemp("ben"), lax)
    handed_in = {
        "ada": deployment.hand_in("ada", deployment.source_dir),
        "ben": deployment.hand_in("ben", folder),
    }
    with closing(Grader(deployment.state, SAMPLE_MODULES_DIR, "en")) as grader, grader.alone():
        while grader.work():
            pass
        give_and_release_marks(deployment, handed_in)
        while grader.work():
            pass
    return {learner: deployment.now(each) for learner, each in handed_in.items()}


def give_and_release_marks(deployment: Deployment, learners: Iterable[str]) -> None:
    with Gradebook(deployment.state.gradebook_url) as gradebook:
        for learner in learners:
            for grade in gradebook.find_submission(MODULE, learner).notebooks[0].grades:
                if grade.auto_score is None:
                    grade.manual_score, grade.needs_manual_grade = 1, False
        gradebook.db.commit()
    with closing(Database(deployment.state.database_url)) as database:
        GradingQueue(database).release_marks(MODULE)


def test_only_who_is_told_something_else_gets_new_feedback_and_marks_stay_released(
    deployment: Deployment, submissions: dict[str, Submission]
) -> None:
    told = {learner: deployment.feedback(each) for learner, each in submissions.items()}
    assert all(each.complete for each in told.values())
    change_source(deployment, stricter)
    regraded = Regraded(deployment.state, SAMPLE_MODULES_DIR, "en")
    arguments = ["grade", "regrade", MODULE, "--state-dir", str(deployment.state.root), "--dry-run", "--json"]
    rehearsed = json.loads(CliRunner().invoke(spoc, arguments).stdout)
    done = regrade_deployment(regraded, MODULE, Choices(), is_rehearsal=False)
    assert rehearsed["learners"] == as_document(done)["learners"]
    assert rehearsed["learners"][0]["cells"][0]["message"] == "AssertionError: Other signs stay"
    assert [(each.student, each.verdict, each.difference) for each in done.learners] == [
        ("ben", "loses", -2),
        ("ada", "stays", 0),
    ]
    assert done.feedback_renewed == ("ben",)
    assert deployment.feedback(submissions["ada"]) == told["ada"]
    ben = deployment.feedback(submissions["ben"])
    assert (ben.points, ben.complete) == (told["ben"].points - 2, True), "its marks are still shown"
    after = deployment.now(submissions["ben"])
    assert (after.state, after.marks_released, after.points) == ("graded", True, ben.points)
    again = regrade_deployment(regraded, MODULE, Choices(students=("ben",)), is_rehearsal=False)
    assert again.feedback_renewed == ()


def test_what_a_worker_grades_meanwhile_is_what_is_graded_again(
    deployment: Deployment, submissions: dict[str, Submission]
) -> None:
    newer = []

    def submit_and_grade(_count: int) -> None:
        newer.append(deployment.hand_in("ben", deployment.source_dir))
        with closing(Grader(deployment.state, SAMPLE_MODULES_DIR, "en")) as grader, grader.alone():
            grader.work_off()

    regraded = Regraded(deployment.state, SAMPLE_MODULES_DIR, "en")
    done = regrade_deployment(
        regraded, MODULE, Choices(students=("ben",)), is_rehearsal=False, begin=submit_and_grade
    )
    assert [(each.student, each.verdict) for each in done.learners] == [("ben", "stays")]
    with Gradebook(deployment.state.gradebook_url) as gradebook:
        timestamp = gradebook.find_submission(MODULE, "ben").timestamp
    assert timestamp == newer[0].received_at.astimezone(UTC).replace(tzinfo=None)
    new, old = deployment.now(newer[0]).points, deployment.now(submissions["ben"]).points
    assert new is not None
    assert old is not None
    assert new > old


def test_nobody_of_that_name_is_told(deployment: Deployment, tmp_path: Path) -> None:
    place = ["--state-dir", str(deployment.state.root), "--student", "zoe"]
    done = CliRunner().invoke(spoc, ["grade", "regrade", MODULE, *place])
    assert done.exit_code == 1
    assert "zoe has no graded submission" in done.output
    nowhere = CliRunner().invoke(spoc, ["grade", "regrade", MODULE, "--state-dir", str(tmp_path)])
    assert nowhere.exit_code == 1
