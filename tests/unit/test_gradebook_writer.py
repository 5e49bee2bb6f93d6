"""The rows that grading leaves in nbgrader's gradebook, and what it does not touch there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nbgrader import api
from traitlets.config import Config

from graders.engine.config import course_directory
from graders.engine.gradebook import Finished, Gradebook
from graders.engine.history import read_history
from graders.engine.plan import AssignmentPlan, read_plan
from graders.engine.results import (
    CellComment,
    CellGrade,
    GradedNotebook,
    GradedSubmission,
    SubmissionContent,
)

NAME = "tables"
SUBMITTED = datetime(2026, 3, 2, 9, 30)
pytestmark = pytest.mark.quick


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    with api.Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        gradebook.add_assignment(NAME, duedate="2026-03-02 09:00:00 UTC")
        for name in ("one", "two"):
            gradebook.add_notebook(name, NAME)
            gradebook.add_grade_cell("tests", name, NAME, max_score=2, cell_type="code")
            gradebook.add_source_cell("tests", name, NAME, cell_type="code", source="assert x", locked=True)
        gradebook.add_grade_cell("essay", "one", NAME, max_score=3, cell_type="markdown")
        gradebook.add_solution_cell("essay", "one", NAME)
        gradebook.add_task_cell("task", "one", NAME, max_score=5, cell_type="markdown")
    return folder


@pytest.fixture
def course(made_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_once, tmp_path / "course"))


@contextmanager
def opened(course: Path, config: Config | None = None) -> Iterator[tuple[Gradebook, AssignmentPlan]]:
    coursedir = course_directory(course, config or Config())
    with Gradebook(coursedir.db_url, "") as gradebook:
        with gradebook.reading() as session:
            plan = read_plan(coursedir, NAME, config or Config(), session)
        yield gradebook, plan


def graded(*grades: CellGrade, missing: tuple[str, ...] = (), comment: str | None = None) -> Finished:
    comments = (CellComment("essay", comment), CellComment("task", None))
    notebook = GradedNotebook("one", b"", b"", grades, comments, "ok", {}, {})
    content = SubmissionContent(student="ada", files={}, timestamp=SUBMITTED)
    return Finished(content, GradedSubmission(student="ada", notebooks=(notebook,), missing=missing))


def row(course: Path, cell: str, notebook: str = "one") -> tuple[float | None, float | None, bool]:
    with api.Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade(cell, notebook, NAME, "ada")
        return grade.auto_score, grade.manual_score, grade.needs_manual_grade


def mark(course: Path, points: float) -> None:
    with api.Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade("essay", "one", NAME, "ada")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = points, 0.5, False
        gradebook.find_comment("essay", "one", NAME, "ada").manual_comment = "Good"
        gradebook.db.commit()


def test_a_first_grading_makes_all_rows_that_belong_to_a_submission(course: Path) -> None:
    with opened(course) as (gradebook, plan):
        gradebook.write(plan, [graded(CellGrade("tests", 1.5), CellGrade("essay", None), missing=("two",))])
    assert row(course, "tests") == (1.5, None, False)
    assert row(course, "essay") == (None, None, True)
    assert row(course, "task") == (None, None, True), "nbgrader leaves a task to a person"
    assert row(course, "tests", "two") == (0, None, False), "a notebook that was not submitted"
    with api.Gradebook(f"sqlite:///{course / 'gradebook.db'}") as stock:
        found = stock.find_submission(NAME, "ada")
        assert (found.timestamp, found.score, found.needs_manual_grade) == (SUBMITTED, 1.5, True)
        assert {comment.name for comment in found.notebooks[0].comments} == {"essay", "task"}


@pytest.mark.parametrize(("unchanged", "waits"), [(True, False), (False, True)])
def test_a_mark_by_hand_and_extra_credit_stay(course: Path, unchanged: bool, waits: bool) -> None:
    grades = (CellGrade("tests", 2), CellGrade("essay", None, is_unchanged=unchanged))
    with opened(course) as (gradebook, plan):
        gradebook.write(plan, [graded(*grades)])
        mark(course, 3)
        gradebook.write(plan, [graded(*grades, comment="No response.")])
    assert row(course, "essay") == (None, 3, waits)
    with api.Gradebook(f"sqlite:///{course / 'gradebook.db'}") as stock:
        assert stock.find_grade("essay", "one", NAME, "ada").extra_credit == 0.5
        comment = stock.find_comment("essay", "one", NAME, "ada")
        assert (comment.manual_comment, comment.auto_comment) == ("Good", "No response.")


def test_points_of_a_quiz_stay_as_they_are_where_nobody_knows_better(course: Path) -> None:
    with opened(course) as (gradebook, plan):
        gradebook.write(plan, [graded(CellGrade("tests", None, is_kept=True), CellGrade("essay", None))])
        assert row(course, "tests")[0] == 0
        gradebook.write(plan, [graded(CellGrade("tests", 1.5), CellGrade("essay", None))])
        gradebook.write(plan, [graded(CellGrade("tests", None, is_kept=True), CellGrade("essay", None))])
    assert row(course, "tests") == (1.5, None, False)


def test_a_result_that_can_be_forged_says_so_in_the_gradebook(course: Path) -> None:
    grades = (CellGrade("tests", 2, forgeable="it awaits something"), CellGrade("essay", None))
    with opened(course) as (gradebook, plan):
        gradebook.write(plan, [graded(*grades)])
        with gradebook.reading() as session:
            texts = [comment.auto_comment for comment in session.query(api.Comment) if comment.auto_comment]
    assert len(texts) == 1
    assert texts[0].endswith("could have forged its result: it awaits something")


def test_what_changes_is_kept_in_the_history(course: Path) -> None:
    with opened(course) as (gradebook, plan):
        for points in (2.0, 2.0, 1.0):
            gradebook.write(plan, [graded(CellGrade("tests", points), CellGrade("essay", None))])
        changes = [change for _, change in read_history(gradebook.engine, NAME)]
    assert [(each.student, each.cell, each.before, each.after) for each in changes] == [
        ("ada", "tests", 2, 1)
    ]


@pytest.mark.parametrize(
    ("due_at", "penalty"),
    [
        ("2026-03-02T09:00", 1.5),
        ("2026-03-02T09:29", 1.5),
        ("2026-03-02T09:30", None),
        ("2026-03-01T00:00", 1.5),
    ],
)
def test_the_late_policy_counts_from_the_due_date_of_the_learner(
    course: Path, due_at: str, penalty: float | None
) -> None:
    config = Config()
    config.LateSubmissionPlugin.penalty_method = "zero"
    finished = graded(CellGrade("tests", 1.5), CellGrade("essay", None))
    with opened(course, config) as (gradebook, plan):
        for moment in (datetime(2026, 3, 5, tzinfo=UTC), datetime.fromisoformat(f"{due_at}+00:00")):
            longer = replace(finished, content=replace(finished.content, due_at=moment))
            gradebook.write(plan, [longer])
        gradebook.write(plan, [finished])
        with gradebook.reading() as session:
            row = session.query(api.SubmittedNotebook).filter_by(name="one").one()
            assert row.late_submission_penalty == penalty
            assert (row.assignment.extension or timedelta(0)) >= timedelta(0)


def test_the_late_policy_of_the_course_decides_and_its_failure_costs_nothing(course: Path) -> None:
    config = Config()
    config.LateSubmissionPlugin.penalty_method = "zero"
    with opened(course, config) as (gradebook, plan):
        gradebook.write(plan, [graded(CellGrade("tests", 1.5), CellGrade("essay", None))])
        with gradebook.reading() as session:
            penalties = {
                each.name: each.late_submission_penalty for each in session.query(api.SubmittedNotebook)
            }
            assert penalties == {"one": 1.5, "two": None}
        broken = replace(plan, config=Config())
        broken.config.AssignLatePenalties.plugin_class = "no.such.policy"
        remarks = gradebook.write(broken, [graded(CellGrade("tests", 1), CellGrade("essay", None))])
    assert [remark.kind for remark in remarks["ada"]] == ["step"]
    assert row(course, "tests")[0] == 1
