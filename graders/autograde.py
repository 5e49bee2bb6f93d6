"""Grades one submission with nbgrader's own autograder, and tells what its learner may see of it.

Two runs. The first is nbgrader's: all tests, results into the gradebook, its notebook for the trainer. The
second, only of notebooks with hidden tests, runs without them and makes what the learner sees: a kernel that
never met the hidden tests cannot show them, in whatever way the learner's code prints, raises or pickles.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.nbgraderformat import SchemaTooNewError, SchemaTooOldError, ValidationError
from nbgrader.preprocessors import ClearOutput, LimitOutput
from nbgrader.utils import is_grade, is_locked, is_task
from traitlets.config import Config

from course.errors import CourseError
from course.language import translator
from graders.authoring.regions import HIDDEN_TESTS, split
from graders.preprocessors import QuizPoints, SandboxedExecute, configure
from graders.trainer_copy import disarm
from graders.workbench import Workbench

MAX_NOTEBOOK_BYTES = 20 * 1024 * 1024
MARK_SCHEME = "MARK SCHEME"

_FORMAT_FAULTS = (ValidationError, SchemaTooOldError, SchemaTooNewError)
# Before anything runs, what makes nbgrader stumble is what a notebook's metadata says, or leaves out. A full
# disk or a locked gradebook is none of these.
_READING_FAULTS = (*_FORMAT_FAULTS, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Ungradable(CourseError):
    """The submission itself cannot be graded; its learner is told why."""


@dataclass(frozen=True, slots=True)
class GradingCourse:
    """An nbgrader course directory."""

    folder: Path
    id: str

    @property
    def gradebook(self) -> Path:
        return self.folder / "gradebook.db"

    @property
    def gradebook_url(self) -> str:
        """The gradebook's address.

        Raises:
            CourseError: It is a link: it would lead a worker to a file that trainers may not reach.
        """
        if self.gradebook.is_symlink():
            raise CourseError(f"{self.gradebook} is a link.", "Put the gradebook itself there.")
        return f"sqlite:///{self.gradebook}"


@dataclass(frozen=True, slots=True)
class GradingJob:
    """One submission to grade; `quiz_points` are those at its time, `language` is its learner's."""

    learner: str
    display_name: str
    assignment: str
    received_at: datetime
    files_dir: Path
    quiz_points: float
    language: str = "en"


def autograde(
    course: GradingCourse, job: GradingJob, scratch: Path, limits: Mapping[str, int]
) -> dict[str, NotebookNode]:
    """Grade a submission into the gradebook; changes the working folder meanwhile.

    Args:
        course: Where the result goes.
        job: What to grade.
        scratch: An empty folder, closed to everybody else, to grade in.
        limits: Of `SandboxedExecute`, by trait; those left out have their default.

    Returns:
        By name, the notebooks as their learner may see them: run, without hidden tests.

    Raises:
        Ungradable: The learner has to submit something else.
        CourseError: The assignment was never released.
        Exception: Anything else that goes wrong is no fault of the submission; it can be graded later.
    """
    expected = _expected_notebooks(course, job.assignment)
    translate = translator("exchange", job.language)
    _check_notebooks(job.files_dir, expected, translate)
    bench = Workbench(scratch, job.learner, job.assignment)
    bench.lay_out(job.files_dir, course.folder / "source" / job.assignment, expected, job.received_at)
    bench.fetch_graded(course.folder, expected)
    config = _config(course, bench, job, limits)
    _name_student(course, job)
    try:
        _run_nbgrader(config, translate)
        return {path.stem: _as_seen(path, config) for path in _autograded(bench)}
    finally:
        for path in _autograded(bench):
            _disarm(path)
        bench.put_in_place(course.folder)
        _keep_owner(course)


class _Autograde(Autograde):
    """Remembers what stopped a notebook: nbgrader logs it, and raises one error for everything."""

    fault: Exception | None = None
    unreadable = ""
    """The notebook whose fault it is, if it is one's."""

    def convert_single_notebook(self, notebook_filename: str) -> None:
        try:
            super().convert_single_notebook(notebook_filename)
        except Exception as error:
            self.fault = error
            if isinstance(error, _FORMAT_FAULTS if self._is_cleaned else _READING_FAULTS):
                self.unreadable = Path(notebook_filename).name
            raise

    def _init_preprocessors(self) -> None:
        self._is_cleaned = not self._sanitizing
        super()._init_preprocessors()


def _run_nbgrader(config: Config, translate: Callable[[str], str]) -> None:
    converter = _Autograde(coursedir=CourseDirectory(config=config), config=config, force=True)
    try:
        converter.start()
    except NbGraderException as error:
        if not converter.unreadable:
            raise converter.fault or error from error
        raise Ungradable(
            translate("{name} could not be graded.").format(name=converter.unreadable),
            translate("Its cells for grading were changed. Fetch the assignment anew and copy your work."),
        ) from converter.fault


def _autograded(bench: Workbench) -> list[Path]:
    return sorted(bench.place("autograded").glob("*.ipynb"))


def _disarm(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    disarm(notebook)
    # nbgrader leaves the file read-only, which only root could write over.
    disarmed = path.with_suffix(".disarmed")
    nbformat.write(notebook, disarmed)
    shutil.copymode(path, disarmed)
    disarmed.replace(path)


def _keep_owner(course: GradingCourse) -> None:
    """A gradebook that root made belongs to the trainers all the same."""
    if os.geteuid() == 0:
        owner = course.folder.stat()
        os.chown(course.gradebook, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _expected_notebooks(course: GradingCourse, assignment: str) -> tuple[str, ...]:
    with Gradebook(course.gradebook_url, course.id) as gradebook:
        try:
            found = gradebook.find_assignment(assignment)
        except MissingEntry as error:
            raise CourseError(
                f"The gradebook has no assignment {assignment!r}.", "Release it first: spoc module release"
            ) from error
        return tuple(notebook.name for notebook in found.notebooks)


def _check_notebooks(files_dir: Path, expected: Iterable[str], translate: Callable[[str], str]) -> None:
    """Raise `Ungradable` that names everything that keeps nbgrader from reading the notebooks."""
    paths = {name: files_dir / f"{name}.ipynb" for name in expected}
    present = {name: path for name, path in paths.items() if path.is_file()}
    if not present:
        raise Ungradable(
            translate("None of the assignment's notebooks was in the submission: {names}.").format(
                names=", ".join(sorted(paths))
            ),
            translate("Keep their names, and submit the folder of the assignment."),
        )
    problems = {f"{name}.ipynb": _problem_of(path) for name, path in present.items()}
    told = [translate(problem).format(name=name) for name, problem in problems.items() if problem]
    if told:
        raise Ungradable(
            "\n".join(told),
            translate("Open it in JupyterLab. If that fails, fetch the assignment anew and copy your work."),
        )


def _problem_of(path: Path) -> str:
    if path.stat().st_size > MAX_NOTEBOOK_BYTES:
        return "{name} is too large; clear its outputs."
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        for cell in notebook.cells:
            # Deeper checks are nbgrader's; it looks cells up by this name in the gradebook.
            if not isinstance(cell.metadata.get("nbgrader", {}).get("grade_id", ""), str):
                return "{name} is not a notebook that can be read."
    # nbformat raises whatever its input makes it stumble over: wrong JSON, wrong types, endless nesting.
    except Exception:
        return "{name} is not a notebook that can be read."
    return ""


def _config(course: GradingCourse, bench: Workbench, job: GradingJob, limits: Mapping[str, int]) -> Config:
    """Return the whole configuration: no file of the course directory or a home has a say."""
    config = Config()
    configure(config)
    config.CourseDirectory.root = str(bench.root)
    config.CourseDirectory.course_id = course.id
    config.CourseDirectory.db_url = course.gradebook_url
    config.CourseDirectory.assignment_id = job.assignment
    config.CourseDirectory.student_id = job.learner
    config.QuizPoints.points = job.quiz_points
    config.SaveScores.marked_dir = str(bench.graded_before)
    config.SandboxedExecute.update(limits)
    return config


def _name_student(course: GradingCourse, job: GradingJob) -> None:
    first, _, last = job.display_name.rpartition(" ")
    with Gradebook(course.gradebook_url, course.id) as gradebook:
        gradebook.update_or_create_student(job.learner, first_name=first, last_name=last)


def _as_seen(path: Path, config: Config) -> NotebookNode:
    """Return a graded notebook as it is without hidden tests, run again if it had any."""
    notebook = nbformat.read(path, as_version=4)
    if not _remove_hidden(notebook):
        return notebook
    resources: dict[str, Any] = {"metadata": {"path": str(path.parent)}}
    # What the first run left can show hidden tests, and a cell that the second does not reach would keep it.
    notebook, _ = ClearOutput(config=config).preprocess(notebook, resources)
    notebook, _ = SandboxedExecute(config=config).preprocess(notebook, resources)
    notebook, _ = LimitOutput(config=config).preprocess(notebook, resources)
    resources["nbgrader"] = {"assignment": config.CourseDirectory.assignment_id}
    notebook, _ = QuizPoints(config=config).preprocess(notebook, resources)
    return notebook


def _remove_hidden(notebook: NotebookNode) -> bool:
    """Take hidden tests and marking schemes out of the author's cells; return whether there were any."""
    removed = False
    for cell in notebook.cells:
        if not (is_grade(cell) or is_locked(cell) or is_task(cell)):
            continue
        for region in (HIDDEN_TESTS, MARK_SCHEME):
            parts = split(cell.source, region)
            if parts.marked:
                cell.source, removed = "\n".join(parts.visible), True
    return removed
