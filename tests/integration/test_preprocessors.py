"""nbgrader's own command with the engine by configuration: it repairs, confines and judges likewise."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

from nbformat import NotebookNode

from tests.equality.cells import answer, locked_tests, notebook
from tests.equality.course import Course, Submission, assignment, is_solution, write_course
from tests.equality.rows import Grade, gradebook_rows
from tests.equality.stock import environment

NAME = "sums"
CONFIG = "from graders.preprocessors import configure\nconfigure(c)\n"
EQUALS_EVERYTHING = """
class Everything:
    def __eq__(self, other):
        return True
total = Everything()
"""


def _skip_tests(submitted: NotebookNode) -> None:
    for cell in submitted.cells:
        cell.metadata["tags"] = ["skip-execution"]
        if not is_solution(cell):
            cell.source = "pass"


def test_nbgraders_command_grades_as_the_engine_does(tmp_path: Path) -> None:
    work = notebook(
        answer("add", "### BEGIN SOLUTION\ntotal = sum(range(5))\n### END SOLUTION"),
        locked_tests("add-tests", "assert total == 10", points=2),
        locked_tests("quiz-sums", "None", points=5),
    )
    submissions = (
        Submission("ann"),
        Submission("bob", {"add": "total = 9"}, edit=_skip_tests),
        Submission("cyd", {"add": EQUALS_EVERYTHING}),
    )
    course = tmp_path / "course"
    write_course(Course("configured", (assignment(NAME, work, *submissions),), CONFIG), course)
    command = [str(Path(sysconfig.get_path("scripts"), "nbgrader")), "autograde", NAME]
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        command, cwd=course, env=environment(tmp_path / "home"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    rows = {key[1]: row for key, row in gradebook_rows(course).items() if isinstance(row, Grade)}
    scores = {place[1]: row.auto_score for place, row in rows.items() if place[3] == "add-tests"}
    assert scores == {"ann": 2, "bob": 0, "cyd": 0}
    assert rows[NAME, "ann", "work", "quiz-sums"].auto_score == 0, "no record says that there are points"
