"""`spoc grade run --course-dir` on an ordinary nbgrader course directory: real nbgrader, real sandbox."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from tests.equality.cells import answer, code, essay, locked_tests, notebook
from tests.equality.course import Course, Submission, assignment, write_course
from tests.equality.rows import Grade, HandedIn, gradebook_rows
from tests.handing_in import cell_of
from tests.processes import descendants, parent_of
from tests.waiting import wait_until

NAME = "Week 1"
SPOC = str(Path(sysconfig.get_path("scripts"), "spoc"))
STUDENTS = ("ann", "bob", "cyd", "dee")
TESTS = ("double-tests", "double-credit")
SLOW = "import time; time.sleep(1.5)"


def _spoil(submitted: NotebookNode) -> None:
    submitted.cells = [{"no": "cell"}]


def _course() -> Course:
    work = notebook(
        code("given = 20"),
        answer("double", "### BEGIN SOLUTION\ndoubled = 2 * given\n### END SOLUTION"),
        locked_tests("double-tests", "assert doubled == 40", points=2),
        locked_tests("double-credit", "doubled / 40", points=1),
        essay("why", "Because.", points=3),
    )
    return Course(
        "batch",
        (
            assignment(
                NAME,
                {"my work": work},
                Submission("ann", submitted_at="2026-03-01 10:00:00 UTC"),
                Submission("bob", {"double": "doubled = 20"}),
                Submission("cyd"),
                Submission("dee"),
            ),
        ),
    )


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    write_course(_course(), folder)
    return folder


@pytest.fixture
def course(made_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_once, tmp_path / "course"))


@pytest.fixture
def slow_course(course: Path) -> Path:
    """Its last two submissions take their time."""
    for student in ("cyd", "dee"):
        path = course / "submitted" / student / NAME / "my work.ipynb"
        submitted = nbformat.read(path, as_version=4)
        cell_of(submitted, "double").source = f"{SLOW}\ndoubled = 40"
        nbformat.write(submitted, path)
    return course


def command(course: Path, *arguments: str) -> list[str]:
    return [SPOC, "grade", "run", NAME, "--course-dir", str(course), *arguments]


def grade(course: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Run the command; return its JSON, or nothing if it had none to give."""
    done = subprocess.run(
        command(course, "--json", *arguments), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, done.stderr[-3000:]
    report: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    return report


def points(report: Mapping[str, Any]) -> dict[str, float | None]:
    return {line["student"]: line["points"] for line in report["submissions"]}


def scores(
    course: Path, students: Sequence[str] = ("ann", "bob", "cyd", "dee")
) -> dict[str, list[float | None]]:
    rows = {key[1]: row for key, row in gradebook_rows(course).items() if isinstance(row, Grade)}
    return {
        student: [
            rows[NAME, student, "my work", cell].auto_score for cell in ("double-tests", "double-credit")
        ]
        for student in students
    }


RIGHT: dict[str, list[float | None]] = {"ann": [2, 1], "bob": [0, 0.5], "cyd": [2, 1], "dee": [2, 1]}


def test_a_batch_leaves_gradebook_and_notebooks_and_grades_nothing_twice(course: Path) -> None:
    report = grade(course)
    assert points(report) == {"ann": 3, "bob": 0.5, "cyd": 3, "dee": 3}
    assert scores(course) == RIGHT
    submission = gradebook_rows(course)["submission", (NAME, "ann", "", "")]
    assert isinstance(submission, HandedIn)
    assert (submission.timestamp, submission.needs_manual_grade) == ("2026-03-01 10:00:00", True)
    graded = course / "autograded" / "ann" / NAME
    assert sorted(path.name for path in graded.iterdir()) == ["my work.ipynb", "timestamp.txt"]
    assert {path.stat().st_mode & 0o777 for path in graded.iterdir()} == {0o444}
    again = grade(course)
    assert (again["submissions"], again["skipped"]) == ([], ["ann", "bob", "cyd", "dee"])


def test_a_newer_submission_is_graded_again_and_force_grades_all(course: Path) -> None:
    grade(course, "--student", "ann", "--student", "bob")
    (course / "submitted" / "ann" / NAME / "timestamp.txt").write_text("2026-03-02 10:00:00 UTC")
    assert points(grade(course, "--student", "ann", "--student", "bob")) == {"ann": 3}
    assert points(grade(course, "--student", "bob", "--force")) == {"bob": 0.5}


def test_a_notebook_that_cannot_be_read_keeps_nobody_else_from_being_graded(course: Path) -> None:
    (course / "submitted" / "bob" / NAME / "my work.ipynb").write_text("[" * 100_000)
    (course / "submitted" / "ann" / NAME / "timestamp.txt").write_text("notadate")
    report = grade(course, code=1)
    assert points(report) == {"ann": 3, "bob": None, "cyd": 3, "dee": 3}
    lines = {line["student"]: line for line in report["submissions"]}
    assert "my work.ipynb" in lines["bob"]["problem"]
    assert [remark["kind"] for remark in lines["ann"]["remarks"] if remark["kind"] != "forgeable"] == [
        "timestamp"
    ]
    assert not (course / "autograded" / "bob").exists()
    assert scores(course, ["bob"]) == {"bob": [None, None]}, "it waits for a person and is no silent zero"


def test_a_submission_without_a_notebook_is_told_and_spoils_no_exit_code(course: Path) -> None:
    (course / "submitted" / "bob" / NAME / "my work.ipynb").unlink()
    report = grade(course, "--student", "ann", "--student", "bob")
    assert points(report) == {"ann": 3, "bob": None}
    assert "my work.ipynb" in report["submissions"][1]["problem"]
    assert not (course / "autograded" / "bob").exists()
    assert points(grade(course, "--student", "ann", "--student", "bob")) == {"bob": None}
    grade(course, "--student", "bob", code=1)


def test_nobody_to_grade_and_an_unknown_assignment_are_told_with_nbgraders_exit_code(course: Path) -> None:
    grade(course, "--student", "zoe", code=1)
    shutil.rmtree(course / "submitted")
    grade(course, code=1)


def test_who_is_killed_leaves_whole_results_and_the_next_run_the_rest(slow_course: Path) -> None:
    with subprocess.Popen(
        command(slow_course, "--jobs", "1"), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as run:
        wait_until(lambda: (slow_course / "autograded" / "ann" / NAME).exists())
        run.kill()
    left = sorted(path.name for path in (slow_course / "autograded").iterdir())
    assert "dee" not in left, "it was killed in the middle"
    assert scores(slow_course, left) == {student: RIGHT[student] for student in left}
    assert set(grade(slow_course)["skipped"]) >= {"ann"}
    assert scores(slow_course) == RIGHT
    assert sorted(path.name for path in (slow_course / ".grading").iterdir()) == ["locks", "trust"]


def test_an_interrupt_ends_all_and_keeps_what_is_done(slow_course: Path) -> None:
    with subprocess.Popen(
        command(slow_course, "--jobs", "1"), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as run:
        wait_until(lambda: (slow_course / "autograded" / "ann" / NAME).exists())
        run.send_signal(signal.SIGINT)
        _, complaint = run.communicate(timeout=120)
    assert run.returncode == 130
    assert "Traceback" not in complaint
    assert "What is graded is kept" in complaint
    grade(slow_course)
    assert scores(slow_course) == RIGHT


def test_two_commands_at_once_leave_what_they_leave_one_after_the_other(slow_course: Path) -> None:
    runs = [
        subprocess.Popen(
            command(slow_course, "--json", "--jobs", "2"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    reports = []
    for run in runs:
        output, complaint = run.communicate(timeout=120)
        assert run.returncode == 0, complaint[-3000:]
        reports.append(json.loads(output))
    graded = [line["student"] for report in reports for line in report["submissions"]]
    assert sorted(graded) == ["ann", "bob", "cyd", "dee"], "each once, by whoever came first"
    assert scores(slow_course) == RIGHT


def test_what_a_killed_process_was_grading_is_graded_by_another(slow_course: Path) -> None:
    with subprocess.Popen(
        command(slow_course, "--json", "--jobs", "2"), stdout=subprocess.PIPE, text=True
    ) as run:
        wait_until(lambda: (slow_course / "autograded" / "ann" / NAME).exists())
        for worker in workers(run.pid):
            os.kill(worker, signal.SIGKILL)
        output, _ = run.communicate(timeout=120)
    assert run.returncode == 0
    assert points(json.loads(output)) == {"ann": 3, "bob": 0.5, "cyd": 3, "dee": 3}
    assert scores(slow_course) == RIGHT


def workers(parent: int) -> list[int]:
    """Return the processes that were forked from `parent`: they have its very command."""
    own = Path(f"/proc/{parent}/cmdline").read_bytes()
    return [
        child
        for child in descendants(parent)
        if parent_of(child) == parent and Path(f"/proc/{child}/cmdline").read_bytes() == own
    ]
