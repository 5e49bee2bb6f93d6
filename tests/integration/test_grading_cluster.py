"""`spoc grade run --scheduler`: the same grades from the workers of a Dask cluster, one of which is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

from graders.engine.batch import Line
from graders.engine.course import Choices, grade_course
from tests.equality.cells import answer, locked_tests, notebook
from tests.equality.course import Course, Submission, assignment, write_course
from tests.equality.rows import Grade, gradebook_rows

NAME = "sums"
STUDENTS = [f"student-{number}" for number in range(8)]
# The course's own module lies on no worker's disk.
CONFIG = """
from own_step import Mark
from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata, Execute, SaveAutoGrades
c.Autograde.autograde_preprocessors = [Execute, Mark, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata]
"""
OWN_STEP = """
from nbgrader.preprocessors import NbGraderPreprocessor

class Mark(NbGraderPreprocessor):
    def preprocess(self, nb, resources):
        nb.metadata["marked"] = resources["nbgrader"]["student"]
        return nb, resources
"""
pytestmark = [
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    # Dask's own, about the worker that is lost.
    pytest.mark.filterwarnings("ignore:::distributed", "ignore:::dask"),
]


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, protocol="tcp") as cluster:
        yield cluster


@pytest.fixture
def course(tmp_path: Path) -> Path:
    work = notebook(
        answer("add", "### BEGIN SOLUTION\ntotal = sum(range(5))\n### END SOLUTION"),
        locked_tests("add-tests", "assert total == 10", points=2),
    )
    slow = {"add": "import time\ntime.sleep(0.5)\ntotal = 10"}
    submissions = [Submission(student, slow) for student in STUDENTS]
    made = Course("cluster", (assignment(NAME, work, *submissions),), CONFIG, {"own_step.py": OWN_STEP})
    write_course(made, tmp_path)
    return tmp_path


def test_what_a_lost_worker_was_grading_is_graded_by_another(course: Path, cluster: LocalCluster) -> None:
    lost: list[int] = []

    def lose_one(_line: Line | None) -> None:
        if not lost:
            lost.append(next(iter(cluster.workers.values())).pid)
            os.kill(lost[0], signal.SIGKILL)

    choices = Choices(scheduler=cluster.scheduler_address)
    report = grade_course(course, NAME, choices, tell=lose_one)
    assert lost
    assert [line.problem for line in report.lines] == [""] * len(STUDENTS)
    rows = {key: row for key, row in gradebook_rows(course).items() if isinstance(row, Grade)}
    assert [row.auto_score for row in rows.values()] == [2] * len(STUDENTS)
    for student in STUDENTS:
        assert f'"marked": "{student}"' in (course / "autograded" / student / NAME / "work.ipynb").read_text()
