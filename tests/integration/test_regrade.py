"""`spoc grade regrade`: tests change after submissions, and what that does can be seen before it is done."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbgrader import api
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import create_engine
from traitlets.config import Config

from course.errors import Conflict, CourseError
from graders.engine.course import Choices, grade_course, open_course
from graders.engine.gradebook import Finished
from graders.engine.history import read_history
from graders.engine.outcome import Reason, Regrade
from graders.engine.regrade import regrade_course
from graders.engine.regrade_report import changed_tests
from graders.engine.results import GradedSubmission, SubmissionContent
from hub_config.cli import spoc
from tests.equality.cells import answer, essay, locked_tests, notebook, read_only
from tests.equality.course import COURSE_ID, Course, Submission, assignment, write_course
from tests.waiting import wait_until

NAME = "areas"
SPOC = str(Path(sysconfig.get_path("scripts"), "spoc"))
EVERYBODY = Choices()

Files = dict[str, bytes]


def source() -> list[nbformat.NotebookNode]:
    return [
        read_only("given", "unit = 1"),
        answer("area", "def area(a, b):\n    ### BEGIN SOLUTION\n    return a * b\n    ### END SOLUTION"),
        locked_tests("small", "assert area(1, 2) == 2 * unit", points=2),
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
    assert grade_course(folder, NAME, EVERYBODY).exit_code == 0
    with opened(folder) as gradebook:
        grade = gradebook.find_grade("why", "work", NAME, "ann")
        grade.manual_score, grade.needs_manual_grade, grade.extra_credit = 2.5, False, 0.5
        gradebook.find_comment("why", "work", NAME, "ann").manual_comment = "Well seen"
        by_hand = gradebook.find_grade("large", "work", NAME, "bob")
        by_hand.manual_score, by_hand.needs_manual_grade = 1, False
        gradebook.db.commit()
    return folder


@pytest.fixture
def course(graded_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(graded_once, tmp_path / "course"))


@contextmanager
def opened(course: Path) -> Iterator[Gradebook]:
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", COURSE_ID) as gradebook:
        yield gradebook


def new_source(course: Path, *cells: nbformat.NotebookNode) -> None:
    nbformat.write(notebook(*cells), course / "source" / NAME / "work.ipynb")


def improved(course: Path) -> None:
    """Write a source with one test re-weighted, one changed and one added."""
    given, area, small, large, why = source()
    small.metadata.nbgrader.points = 4
    large.source = "assert area(10, 20) == 200\nassert area(-1, 2) == -2, 'keep the sign'"
    new_source(
        course, given, area, small, large, locked_tests("zero", "assert area(0, 5) == 0", points=1), why
    )


def regrade(course: Path, choices: Choices = EVERYBODY, *, is_rehearsal: bool = False) -> Regrade:
    return regrade_course(course, NAME, choices, is_rehearsal=is_rehearsal)


def totals(done: Regrade) -> dict[str, tuple[float | None, float, str]]:
    return {each.student: (each.before, each.after, each.verdict) for each in done.learners}


def shown(done: Regrade) -> dict[tuple[str, str], tuple[float | None, float | None, tuple[Reason, ...]]]:
    """Return what changes by learner and cell: points that count before and after, and why."""
    return {
        (learner.student, cell.cell): (
            cell.before.counted if cell.before else None,
            cell.after.counted if cell.after else None,
            cell.reasons,
        )
        for learner in done.learners
        for cell in learner.cells
        if cell.before != cell.after
    }


def everything_in(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


EXPECTED = {
    ("ann", "small"): (2, 4, ("weight",)),
    ("ann", "zero"): (None, 1, ("added",)),
    ("bob", "small"): (2, 4, ("weight",)),
    ("bob", "large"): (1, 1, ("text",)),
    ("bob", "zero"): (None, 0, ("added",)),
    ("cyd", "small"): (2, 4, ("weight",)),
    ("cyd", "large"): (1, 0, ("text",)),
    ("cyd", "zero"): (None, 1, ("added",)),
}
TOTALS = {"bob": (3, 5, "gains"), "cyd": (3, 5, "gains"), "ann": (6, 9, "gains")}


def test_a_rehearsal_tells_who_changes_and_why_and_leaves_every_file_as_it_was(course: Path) -> None:
    improved(course)
    before = everything_in(course)
    done = regrade(course, is_rehearsal=True)
    assert everything_in(course) == before
    assert shown(done) == EXPECTED
    assert totals(done) == TOTALS
    assert list(totals(done)) == ["bob", "cyd", "ann"], "who gains least comes first"
    (cyd,) = (each for each in done.learners if each.student == "cyd")
    assert (cyd.max_before, cyd.max_after) == (6, 9)
    assert {cell.cell: cell.message for cell in cyd.cells}["large"] == "AssertionError: keep the sign"
    changed = [(each.cell, each.reasons, each.max_before, each.max_after) for each in changed_tests(done)]
    assert changed == [
        ("small", ("weight",), 2, 4),
        ("large", ("text",), 1, 1),
        ("zero", ("added",), None, 1),
    ]


def test_a_regrade_does_what_the_rehearsal_said_and_keeps_marks_comments_and_history(course: Path) -> None:
    improved(course)
    done = regrade(course)
    assert (shown(done), totals(done)) == (EXPECTED, TOTALS)
    with opened(course) as gradebook:
        assert gradebook.find_assignment(NAME).max_score == 9
        ann = gradebook.find_grade("why", "work", NAME, "ann")
        assert (ann.manual_score, ann.extra_credit, ann.needs_manual_grade) == (2.5, 0.5, False)
        assert gradebook.find_comment("why", "work", NAME, "ann").manual_comment == "Well seen"
        bob = gradebook.find_grade("large", "work", NAME, "bob")
        assert (bob.auto_score, bob.manual_score, bob.needs_manual_grade) == (0, 1, True), (
            "its test is another"
        )
    history = read_history(create_engine(f"sqlite:///{course / 'gradebook.db'}"), NAME, "cyd")
    assert [(each.cell, each.before, each.after) for _, each in history] == [("small", 2, 4), ("large", 1, 0)]
    graded = nbformat.read(course / "autograded" / "cyd" / NAME / "work.ipynb", as_version=4)
    assert any("keep the sign" in cell.source for cell in graded.cells)
    again = regrade(course)
    assert (shown(again), changed_tests(again)) == ({}, ())
    cells = known_cells(course)
    release(course)
    assert known_cells(course) == cells, "nbgrader would have the same"


def known_cells(course: Path) -> set[tuple[object, ...]]:
    with opened(course) as gradebook:
        found = gradebook.find_notebook("work", NAME)
        cells = {(each.name, each.source, each.checksum, each.locked) for each in found.source_cells}
        return cells | {(each.name, each.max_score, each.cell_type) for each in found.grade_cells}


def release(course: Path) -> None:
    """Have nbgrader make the assignment: it refuses when the gradebook has other cells, and submissions."""
    config = Config()
    config.CourseDirectory = Config(root=str(course), course_id=COURSE_ID, assignment_id=NAME)
    GenerateAssignment(coursedir=CourseDirectory(config=config), config=config, force=True).start()


def test_a_changed_test_is_told_also_when_nbgrader_knows_it_already(course: Path) -> None:
    given, area, small, large, why = source()
    small.metadata.nbgrader.points = 4
    large.source = "assert area(-1, 2) == -2"
    new_source(course, given, area, small, large, why)
    release(course)
    done = regrade(course, Choices(students=("cyd",)))
    assert shown(done) == {("cyd", "small"): (2, 4, ("weight",)), ("cyd", "large"): (1, 0, ("text",))}
    assert (done.learners[0].max_before, done.learners[0].max_after) == (6, 8)


def test_a_test_without_marks_by_hand_leaves_no_points_when_it_is_gone(course: Path) -> None:
    given, area, _, large, why = source()
    new_source(course, given, area, large, why)
    done = regrade(course)
    assert shown(done)["cyd", "small"] == (2, None, ("removed",))
    assert totals(done)["cyd"] == (3, 1, "loses")
    with opened(course) as gradebook:
        cyd = gradebook.find_submission(NAME, "cyd")
        assert (cyd.score, cyd.max_score) == (1, 4)
        cells = {cell for (cell,) in gradebook.db.query(api.BaseCell.id)}
        assert {cell for (cell,) in gradebook.db.query(api.Grade.cell_id)} <= cells
    history = read_history(create_engine(f"sqlite:///{course / 'gradebook.db'}"), NAME, "cyd")
    assert [(each.cell, each.before, each.after) for _, each in history] == [("small", 2, None)]


def test_a_cell_with_a_mark_by_hand_cannot_be_lost(course: Path) -> None:
    new_source(course, *source()[:-1])
    for is_rehearsal in (True, False):
        with pytest.raises(CourseError, match=r"why.*ann"):
            regrade(course, is_rehearsal=is_rehearsal)
    with opened(course) as gradebook:
        assert gradebook.find_grade("why", "work", NAME, "ann").manual_score == 2.5
        assert gradebook.find_submission(NAME, "cyd").max_score == 6


def test_changed_tests_are_for_everybody(course: Path) -> None:
    improved(course)
    with pytest.raises(Conflict, match="everybody"):
        regrade(course, Choices(students=("cyd",)))
    rehearsed = regrade(course, Choices(students=("cyd",)), is_rehearsal=True)
    assert totals(rehearsed) == {"cyd": TOTALS["cyd"]}


def test_who_cannot_be_graded_is_named_and_keeps_the_points(course: Path) -> None:
    improved(course)
    (course / "submitted" / "bob" / NAME / "work.ipynb").write_text("[" * 100_000)
    shutil.rmtree(course / "submitted" / "ann")
    done = regrade(course)
    assert done.exit_code == 1
    problems = {each.student: each.problem for each in done.learners}
    assert "work.ipynb" in problems["bob"]
    assert (bool(problems["ann"]), problems["cyd"]) == (True, "")
    with opened(course) as gradebook:
        for student in ("ann", "bob"):
            zero = gradebook.find_grade("zero", "work", NAME, student)
            assert (zero.auto_score, zero.needs_manual_grade) == (None, True), "no silent zero"
        assert gradebook.find_grade("small", "work", NAME, "bob").auto_score == 2


def test_what_was_graded_by_tests_of_before_is_not_recorded_any_more(course: Path) -> None:
    with open_course(course, NAME) as grading:
        improved(course)
        regrade(course)
        content = SubmissionContent(student="dee", files={})
        (written,) = grading.writer().write([Finished(content, GradedSubmission(student="dee"))])
        assert "changed meanwhile" in written.problem
        with grading.gradebook.reading() as session:
            assert session.get(api.Student, "dee") is None


def test_another_cell_of_the_author_and_a_newer_submission_are_reasons(course: Path) -> None:
    given, *others = source()
    given.source = "unit = 3"
    new_source(course, given, *others)
    submitted = course / "submitted" / "cyd" / NAME / "work.ipynb"
    changed = nbformat.read(submitted, as_version=4)
    next(cell for cell in changed.cells if "abs(" in cell.source).source = "def area(a, b):\n    return 0"
    nbformat.write(changed, submitted)
    done = regrade(course, is_rehearsal=True)
    assert shown(done) == {
        ("ann", "small"): (2, 0, ("setup",)),
        ("bob", "small"): (2, 0, ("setup",)),
        ("cyd", "small"): (2, 0, ("answer",)),
        ("cyd", "large"): (1, 0, ("answer",)),
    }


def killed(course: Path, until: Callable[[], bool]) -> None:
    command = [SPOC, "grade", "regrade", NAME, "--course-dir", str(course)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        wait_until(until)
        run.kill()


def test_who_is_killed_has_changed_all_or_nothing_and_the_next_run_converges(course: Path) -> None:
    improved(course)
    gradebook = (course / "gradebook.db").read_bytes()
    with unwritable(course):
        killed(course, lambda: new_trust(course))
        killed(course, lambda: any((course / ".grading").glob("incoming-*")))
    assert (course / "gradebook.db").read_bytes() == gradebook
    done = regrade(course)
    with opened(course) as left:
        assert left.find_submission(NAME, "cyd").score == 5
        assert left.find_submission(NAME, "cyd").max_score == 9
    assert all(each.after == TOTALS[each.student][1] for each in done.learners)
    assert sorted(path.name for path in (course / ".grading").iterdir()) == ["locks", "trust"]


@contextmanager
def unwritable(course: Path) -> Iterator[None]:
    """Hold the gradebook's lock, so that who has files ready to place waits there."""
    with closing(sqlite3.connect(course / "gradebook.db", isolation_level=None)) as gradebook:
        gradebook.execute("BEGIN IMMEDIATE")
        yield
        gradebook.execute("ROLLBACK")


def new_trust(course: Path) -> bool:
    return len(list((course / ".grading" / "trust").glob("*.json"))) > 1


def test_the_command_shows_a_table(course: Path) -> None:
    improved(course)
    arguments = ["grade", "regrade", NAME, "--course-dir", str(course), "--dry-run"]
    table = CliRunner().invoke(spoc, arguments)
    assert table.exit_code == 0, table.output
    for text in ("small: it gives other points: 2 → 4", "1 → 1 (waits)", "3 of 6 → 5 of 9 (+2)", "1 → 0"):
        assert text in table.output
    assert "AssertionError: keep the sign" in table.output


def test_what_cannot_be_used_is_told_and_a_mistyped_folder_gets_no_gradebook(course: Path) -> None:
    def refusal() -> str:
        result = CliRunner().invoke(spoc, ["grade", "regrade", NAME, "--course-dir", str(course)])
        assert result.exit_code == 1
        return result.output

    with closing(sqlite3.connect(course / "gradebook.db")) as gradebook, gradebook:
        gradebook.execute("alter table assignment rename column duedate to due")
    assert "nbgrader db upgrade" in refusal()
    (course / "gradebook.db").unlink()
    assert "There is no gradebook" in refusal()
    assert not (course / "gradebook.db").exists()
    (course / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.db_url = 5\n")
    assert "db_url" in refusal()
