"""What is built is an ordinary course of nbgrader's, whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from course.errors import FileProblems
from graders.authoring.build import build_course
from tests.integration.authoring.course import SLUG, edit, files, nbgrader


def test_building_again_gives_the_same_bytes(modules: Path, course_dir: Path) -> None:
    before = files(course_dir)
    build_course(modules, course_dir)
    assert files(course_dir) == before
    assert {path.name for path in before} == {
        "nbgrader_config.py",
        "lesson.ipynb",
        "exercises.ipynb",
        "visits.csv",
    }


def test_a_module_that_cannot_be_built_leaves_the_one_that_stood_there(
    modules: Path, course_dir: Path
) -> None:
    before = files(course_dir)
    edit(modules / SLUG / "lesson.md", "visits\n", "guests\n")
    edit(modules / SLUG / "exercises.md", "tests: usual", "tests: mean")
    with pytest.raises(FileProblems) as refused:
        build_course(modules, course_dir)
    assert refused.value.problems == (
        "line 76: E004 no cell has `tests: usual`",
        "line 87: E003 mean-tests is used already, in line 60",
    )
    assert files(course_dir) == before


def test_nbgraders_commands_work_on_the_built_course(course_dir: Path) -> None:
    nbgrader(course_dir, "generate_assignment", SLUG)
    exercises = f"source/{SLUG}/exercises.ipynb"
    assert "Success! Your notebook passes all the tests." in nbgrader(course_dir, "validate", exercises)
    for learner, step in (("ada", "source"), ("bob", "release")):
        shutil.copytree(course_dir / step / SLUG, course_dir / "submitted" / learner / SLUG)
    nbgrader(course_dir, "autograde", SLUG)
    with Gradebook(f"sqlite:///{course_dir / 'gradebook.db'}") as gradebook:
        points = {
            learner: gradebook.find_submission_notebook("exercises", SLUG, learner).score
            for learner in ("ada", "bob")
        }
    assert points == {"ada": 6, "bob": 0}
