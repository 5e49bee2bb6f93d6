"""`spoc grade run --scheduler`: the same grades from the workers of a Dask cluster, one of which is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from distributed import LocalCluster

from graders.engine.batch import Line
from graders.engine.cluster import ClusterGraders, cluster_graders
from graders.engine.config import AssignmentLayout, course_directory, read_config
from graders.engine.content import CourseContent
from graders.engine.course import Choices, grade_course
from graders.engine.gradebook import Gradebook
from graders.engine.plan import read_plan
from graders.engine.warm import environment_of
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
# Dask's own, about the worker that is lost.
pytestmark = pytest.mark.filterwarnings("ignore:::distributed", "ignore:::dask")


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


def test_who_ends_leaves_others_on_the_same_workers_their_fork_servers(
    course: Path, cluster: LocalCluster
) -> None:
    config = read_config(course)
    coursedir = course_directory(course, config)
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook, gradebook.reading() as session:
        plan = read_plan(coursedir, NAME, config, session)
    content = CourseContent(AssignmentLayout(coursedir, NAME), plan).read(STUDENTS[0])

    def connected() -> AbstractContextManager[ClusterGraders]:
        address, environment = cluster.scheduler_address, environment_of(plan)
        return cluster_graders(address, plan, environment, course, unsafe_no_sandbox=False)

    with connected() as first:
        with connected():
            pass
        first.put(content)
        (done,) = first.done(60)
    assert (done.problem, done.result is not None) == ("", True)
