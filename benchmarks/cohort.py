"""A cohort's submissions of a pandas notebook with twelve graded cells."""

from __future__ import annotations

import os
import shutil
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from nbformat import NotebookNode

from tests.equality.assignments.frames import FRAME_ANSWERS, frames_notebook
from tests.equality.cells import code, notebook
from tests.equality.course import Course, Submission, assignment, write_course

ASSIGNMENT = "frames"
_WORK: Sequence[Mapping[str, str]] = ({}, FRAME_ANSWERS["partly"], {}, {}, FRAME_ANSWERS["wrong"])
"""Three of five learners have everything right."""


def write_cohort(folder: Path, size: int, work: NotebookNode) -> None:
    """Write a course directory in which so many learners have submitted `work`."""
    students = [f"learner{number:03}" for number in range(size)]
    submissions = [Submission(student, _WORK[kind_of(student)]) for student in students]
    with pytest.MonkeyPatch.context() as patch:
        # nbgrader calls `alembic` by its bare name when it makes a gradebook.
        patch.setenv("PATH", sysconfig.get_path("scripts"), prepend=os.pathsep)
        write_course(Course("cohort", [assignment(ASSIGNMENT, work, *submissions)]), folder)


def kind_of(student: str) -> int:
    """Return which work a learner submitted; learners of one kind submitted the same."""
    return int(student.removeprefix("learner")) % len(_WORK)


def usual_notebook() -> NotebookNode:
    return frames_notebook()


def long_notebook(cells: int) -> NotebookNode:
    """Return the usual notebook with further code cells, so that it has `cells` of them."""
    usual = frames_notebook().cells
    further = range(cells - len(usual))
    return notebook(*usual, *(code(f"orders['amount'].rolling({n % 5 + 1}).mean().sum()") for n in further))


def part_of(course: Path, folder: Path, students: Sequence[str]) -> Path:
    """Copy a course directory with the submissions of some; nothing of it is graded."""
    shutil.copytree(course, folder, ignore=shutil.ignore_patterns("submitted", "autograded", ".grading"))
    for student in students:
        shutil.copytree(course / "submitted" / student, folder / "submitted" / student)
    return folder


def students_of(course: Path) -> list[str]:
    return sorted(path.name for path in (course / "submitted").iterdir())
