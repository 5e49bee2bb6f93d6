"""`spoc grade regrade`: tests change after submissions, and what that does can be seen before it is done."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from sqlalchemy import create_engine

from course.errors import CourseError
from graders.engine.course import Choices, grade_course
from graders.engine.history import read_history
from graders.engine.regrade import Regrading, Score, regrade
from tests.equality.cells import answer, essay, locked_tests, notebook
from tests.equality.course import COURSE_ID, Course, Submission, assignment, write_course

NAME = "areas"
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
EVERYTHING = Choices(force=True)


def source() -> list[nbformat.NotebookNode]:
    return [
        answer("area", "def area(a, b):\n    ### BEGIN SOLUTION\n    return a * b\n    ### END SOLUTION"),
        locked_tests("small", "assert area(1, 2) == 2", points=2),
        locked_tests("large", "assert area(10, 20) == 200", points=1),
        essay("why", "Because.", points=3),
    ]


@pytest.fixture(scope="module")
def graded_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    submissions = (
        Submission("ann", {"why": "Sides."}),
        Submission("bob", {"area": "def area(a, b):\n    return 2", "why": "No."}),
        Submission("cyd", {"area": "def area(a, b):\n    return abs(a * b)", "why": "Yes."}),
    )
    write_course(Course("regrade", (assignment(NAME, notebook(*source()), *submissions),)), folder)
    assert grade_course(folder, NAME, EVERYTHING).exit_code == 0
    with opened(folder) as gradebook:
        grade = gradebook.find_grade("why", "work", NAME, "ann")
        grade.manual_score, grade.needs_manual_grade = 3, False
        gradebook.find_comment("why", "work", NAME, "ann").manual_comment = "Well seen"
        gradebook.db.commit()
    return folder


@pytest.fixture
def course(graded_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(graded_once, tmp_path / "course"))


def opened(course: Path) -> Gradebook:
    return Gradebook(f"sqlite:///{course / 'gradebook.db'}", COURSE_ID)


def new_source(course: Path, *cells: nbformat.NotebookNode) -> None:
    nbformat.write(notebook(*cells), course / "source" / NAME / "work.ipynb")


def improved(course: Path) -> None:
    """Write a source with one test re-weighted, one changed and one added."""
    area, small, large, why = source()
    small.metadata.nbgrader.points = 4
    large.source = "assert area(10, 20) == 200\nassert area(-1, 2) == -2"
    new_source(course, area, small, large, locked_tests("zero", "assert area(0, 5) == 0", points=1), why)


def shown(regrading: Regrading) -> dict[tuple[str, str], tuple[float | None, float | None, str]]:
    return {
        (each.student, each.cell): (points(each.before), points(each.after), each.why)
        for each in regrading.changes
    }


def points(score: Score | None) -> float | None:
    return None if score is None else score.points


EXPECTED = {
    ("ann", "small"): (2, 4, "worth 4 instead of 2"),
    ("ann", "zero"): (None, 1, "a new cell"),
    ("bob", "small"): (2, 4, "worth 4 instead of 2"),
    ("bob", "zero"): (None, 0, "a new cell"),
    ("cyd", "small"): (2, 4, "worth 4 instead of 2"),
    ("cyd", "large"): (1, 0, "the test was changed"),
    ("cyd", "zero"): (None, 1, "a new cell"),
}


def test_a_dry_run_tells_who_changes_and_why_and_changes_nothing(course: Path) -> None:
    improved(course)
    before = (course / "gradebook.db").read_bytes()
    assert shown(regrade(course, NAME, EVERYTHING, dry_run=True)) == EXPECTED
    assert (course / "gradebook.db").read_bytes() == before


def test_regrading_does_what_the_dry_run_said_and_keeps_marks_comments_and_history(course: Path) -> None:
    improved(course)
    assert shown(regrade(course, NAME, EVERYTHING, dry_run=False)) == EXPECTED
    with opened(course) as gradebook:
        assert gradebook.find_assignment(NAME).max_score == 9
        ann = gradebook.find_submission(NAME, "ann")
        assert (ann.score, ann.max_score) == (4 + 1 + 1 + 3, 9)
        assert gradebook.find_comment("why", "work", NAME, "ann").manual_comment == "Well seen"
        assert gradebook.find_submission(NAME, "cyd").score == 4 + 0 + 1
    history = read_history(create_engine(f"sqlite:///{course / 'gradebook.db'}"), NAME, "cyd")
    assert [(each.cell, each.before, each.after) for _, each in history] == [("small", 2, 4), ("large", 1, 0)]
    assert shown(regrade(course, NAME, EVERYTHING, dry_run=True)) == {}


def test_a_cell_with_a_mark_by_hand_cannot_be_lost(course: Path) -> None:
    area, small, large, _ = source()
    new_source(course, area, small, large)
    with pytest.raises(CourseError, match="why"):
        regrade(course, NAME, EVERYTHING, dry_run=False)
    with opened(course) as gradebook:
        assert gradebook.find_grade("why", "work", NAME, "ann").manual_score == 3


def test_a_test_without_marks_by_hand_can_be_taken_out(course: Path) -> None:
    area, small, _, why = source()
    new_source(course, area, small, why)
    changes = shown(regrade(course, NAME, EVERYTHING, dry_run=False))
    assert changes["cyd", "large"] == (1, None, "the cell is gone")
    with opened(course) as gradebook:
        assert gradebook.find_submission(NAME, "cyd").max_score == 5
