"""A course directory is read as nbgrader reads it: its configuration, its steps, who has submitted."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook
from nbgrader.preprocessors import (
    AssignLatePenalties,
    ClearOutput,
    Execute,
    LimitOutput,
    NbGraderPreprocessor,
    OverwriteCells,
    SaveAutoGrades,
)
from traitlets.config import Config

from course.errors import CourseError, NotFound
from graders.engine.config import AssignmentLayout, course_directory, read_config
from graders.engine.course import chosen_students
from graders.engine.plan import read_plan
from graders.engine.steps import StepFailed, call, read_steps
from graders.engine.unfollowed import unfollowed
from graders.preprocessors import configure

pytestmark = pytest.mark.quick


class Early(NbGraderPreprocessor):
    """A step of a course's own."""


class Late(NbGraderPreprocessor):
    """Another one, which fails."""

    def preprocess(self, nb: object, resources: object) -> tuple[object, object]:
        raise KeyError("gone")


class OwnExecute(Execute):
    """A step of a course's own that the engine replaces."""


@pytest.fixture(autouse=True)
def _own_module_path() -> Iterator[None]:
    before = list(sys.path)
    yield
    sys.path[:] = before


def test_a_course_is_configured_by_its_own_file_and_old_names_still_count(tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text(
        "c = get_config()\nc.Execute.timeout = 7\nc.NbGrader.course_id = 'old-name'\n"
    )
    config = read_config(tmp_path)
    coursedir = course_directory(tmp_path, config)
    assert (config.Execute.timeout, coursedir.course_id, coursedir.root) == (7, "old-name", str(tmp_path))


def test_relative_places_of_a_configuration_are_in_the_course_directory(tmp_path: Path) -> None:
    config = Config({"CourseDirectory": {"root": "course", "db_url": "sqlite:///grades.db"}})
    coursedir = course_directory(tmp_path, config)
    assert coursedir.root == str(tmp_path / "course")
    assert coursedir.db_url == f"sqlite:///{tmp_path}/course/grades.db"
    elsewhere = Config({"CourseDirectory": {"db_url": "postgresql://me:secret@host/grades"}})
    assert course_directory(tmp_path, elsewhere).db_url == "postgresql://me:secret@host/grades"


def test_students_are_chosen_by_name_or_pattern(tmp_path: Path) -> None:
    for student in ("ann", "anton", "bob [b]"):
        (tmp_path / "submitted" / student / "week").mkdir(parents=True)
    layout = AssignmentLayout(course_directory(tmp_path, Config()), "week")
    assert chosen_students(layout, ()) == ("ann", "anton", "bob [b]")
    assert chosen_students(layout, ("bob [b]", "an*")) == ("ann", "anton", "bob [b]")
    with pytest.raises(NotFound, match="z"):
        chosen_students(layout, ("ann", "z*"))


def test_a_configuration_that_cannot_be_read_is_told_and_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text("c.Execute.timeout = unknown\n")
    with pytest.raises(CourseError, match="NameError"):
        read_config(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has more power than another user")
@pytest.mark.parametrize("name", ["nbgrader_config.py", "nbgrader_config.json", "jupyter_config.json"])
def test_root_runs_no_configuration_of_another_user(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}")
    os.chown(tmp_path / name, 200_000, 200_000)
    with pytest.raises(CourseError, match="root's power"):
        read_config(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has more power than another user")
def test_root_takes_no_modules_from_a_folder_of_another_user(tmp_path: Path) -> None:
    read_config(tmp_path)
    assert str(tmp_path) in sys.path
    sys.path.remove(str(tmp_path))
    os.chown(tmp_path, 200_000, 200_000)
    read_config(tmp_path)
    assert str(tmp_path) not in sys.path


def test_students_are_found_by_the_course_s_own_structure_of_folders(tmp_path: Path) -> None:
    config = Config()
    config.CourseDirectory.directory_structure = "{nbgrader_step}/{assignment_id}/{student_id}"
    config.CourseDirectory.student_id_exclude = "zoe"
    for student in ("ann", "bob b", "zoe"):
        (tmp_path / "submitted" / "Week [1]" / student).mkdir(parents=True)
    (tmp_path / "submitted" / "Week 1" / "eve").mkdir(parents=True)
    layout = AssignmentLayout(course_directory(tmp_path, config), "Week [1]")
    assert layout.students() == ("ann", "bob b", "zoe")
    assert chosen_students(layout, ()) == ("ann", "bob b")
    assert chosen_students(layout, ("zoe",)) == ()
    assert layout.autograded("ann") == Path("autograded/Week [1]/ann")


def test_a_course_s_own_steps_are_called_where_they_stood_and_the_engine_s_replaced() -> None:
    config = Config()
    config.Autograde.sanitize_preprocessors = [Early, ClearOutput, OverwriteCells, Late]
    config.Autograde.autograde_preprocessors = [
        Early, OwnExecute, Late, LimitOutput, SaveAutoGrades, AssignLatePenalties, Early,
    ]  # fmt: skip
    steps = read_steps(config)
    assert (steps.before_repair, steps.after_repair) == ((Early,), (Late,))
    assert (steps.before_run, steps.after_run) == ((Early,), (Late, LimitOutput))
    assert steps.after_scores == (Early,)
    assert (steps.replaced, steps.late, steps.own_rules) == (("OwnExecute",), AssignLatePenalties, False)
    assert steps.on_seen == (LimitOutput,)
    with pytest.raises(StepFailed, match="Late failed: KeyError"):
        call([Early, Late], config, new_notebook(), {})


def test_a_step_that_is_switched_off_is_off_or_told() -> None:
    config = Config()
    config.AssignLatePenalties.enabled = config.Execute.enabled = config.ClearOutput.enabled = False
    steps = read_steps(config)
    assert steps.late is None
    assert steps.switched_off == ("Execute",)


def test_settings_of_a_run_that_are_not_followed_are_told() -> None:
    config = Config({"Execute": {"timeout": 9, "interrupt_on_timeout": True, "kernel_name": "python2"}})
    config.ExecutePreprocessor.extra_arguments = ["--debug"]
    config.NbConvertBase.display_data_priority = []
    assert [told.split()[0] for told in unfollowed(config)] == [
        "Execute.kernel_name",
        "ExecutePreprocessor.extra_arguments",
    ]


def test_the_engine_s_own_configuration_asks_for_its_rules() -> None:
    config = Config()
    configure(config)
    assert read_steps(config).own_rules


@pytest.mark.parametrize(
    ("timeout", "cell_seconds", "cpu_seconds"), [(10, 10, 300), (600, 600, 6000), (None, 300, 3000)]
)
def test_a_process_may_compute_as_long_as_its_notebook_may_run(
    tmp_path: Path, timeout: int | None, cell_seconds: int, cpu_seconds: int
) -> None:
    config = Config({"Execute": {"timeout": timeout}, "SandboxProvisioner": {"memory_bytes": 3 << 30}})
    with Gradebook("sqlite://") as gradebook:
        gradebook.add_assignment("week")
        gradebook.add_notebook("one", "week")
        limits = read_plan(course_directory(tmp_path, config), "week", config, gradebook.db).limits
    assert limits.cell_seconds == cell_seconds
    assert limits.process.memory_bytes == 3 << 30
    assert limits.process.cpu_seconds == limits.notebook_seconds == cpu_seconds
