"""An nbgrader course whose author wants no test that can be forged gets no grade from one."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

from graders.referee.strictness import make_strict
from tests.equality.cells import answer, code, locked_tests, notebook
from tests.equality.course import Course, Submission, assignment, write_course
from tests.equality.rows import Grade, gradebook_rows

NAME = "week-1"
SPOC = str(Path(sysconfig.get_path("scripts"), "spoc"))


def strict_course(folder: Path, *tests: str) -> Path:
    cells = [locked_tests(f"double-{number}", test, points=1) for number, test in enumerate(tests)]
    solution = answer("double", "### BEGIN SOLUTION\ndoubled = 2 * given\n### END SOLUTION")
    work = notebook(code("given = 20"), solution, *cells)
    make_strict(work)
    write_course(Course("strict", (assignment(NAME, {"work": work}, Submission("ann")),)), folder)
    return folder


def grade(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [SPOC, "grade", "run", NAME, "--course-dir", str(course), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def auto_scores(course: Path) -> list[float | None]:
    return [row.auto_score for row in gradebook_rows(course).values() if isinstance(row, Grade)]


def test_a_test_that_can_be_forged_is_refused_with_its_reason_and_nothing_is_graded(tmp_path: Path) -> None:
    course = strict_course(tmp_path, "assert doubled == 40", "assert get_ipython().user_ns['doubled'] == 40")
    done = grade(course)
    assert done.returncode == 1
    assert "'week-1' is not graded: work.ipynb has `referee: strict`" in done.stderr
    assert "double-1: it uses the notebook's get_ipython" in done.stderr
    assert "double-0" not in done.stderr
    assert not any(auto_scores(course))
    assert not (course / "autograded").exists()


def test_tests_that_cannot_be_forged_are_graded_unless_all_are_to_run_beside_learner_code(
    tmp_path: Path,
) -> None:
    course = strict_course(tmp_path, "assert doubled == 40")
    refused = grade(course, "--trust", "kernel")
    assert refused.returncode == 1
    assert "double-0: --trust kernel was asked for" in refused.stderr
    done = grade(course)
    assert done.returncode == 0, done.stderr
    assert auto_scores(course) == [1]
