"""A course directory made by code: assignments with their submissions, released by nbgrader itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat
from jupyter_client.manager import start_new_kernel
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import instantiatetests
from traitlets.config import Config

from tests.equality.cells import clean

COURSE_ID = "equality"
CONFIG_FILE = "nbgrader_config.py"
CONFIG = f'c = get_config()\nc.CourseDirectory.course_id = "{COURSE_ID}"\n'

Edit = Callable[[NotebookNode], None]


@dataclass(frozen=True)
class Submission:
    """What one learner hands in: the released notebooks with some answers.

    Attributes:
        student: The learner's id.
        answers: By grade_id, what stands in the learner's solution cells; the others have the reference
            solution, or what was released where `solved` is False.
        edit: What else the learner did to each notebook.
        without: Notebooks that the learner did not hand in.
        files: Further files by relative path.
        submitted_at: Content of timestamp.txt.
    """

    student: str
    answers: Mapping[str, str] = field(default_factory=dict)
    solved: bool = True
    edit: Edit | None = None
    without: Sequence[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    submitted_at: str = ""


@dataclass(frozen=True)
class Assignment:
    """Notebooks by name with the reference solution, files of the source folder, and who hands in what."""

    name: str
    notebooks: Mapping[str, NotebookNode]
    submissions: Sequence[Submission]
    files: Mapping[str, str] = field(default_factory=dict)
    due: str | None = None


@dataclass(frozen=True)
class Course:
    """A course directory's content; `config` is added to its nbgrader_config.py, `files` stand beside it."""

    name: str
    assignments: Sequence[Assignment]
    config: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def assignment_names(self) -> list[str]:
        return [assignment.name for assignment in self.assignments]


def assignment(
    name: str,
    notebooks: NotebookNode | Mapping[str, NotebookNode],
    *submissions: Submission,
    files: Mapping[str, str] | None = None,
    due: str | None = None,
) -> Assignment:
    """Return an assignment; a single notebook is called "work"."""
    named = {"work": notebooks} if isinstance(notebooks, NotebookNode) else notebooks
    return Assignment(name, named, submissions, files or {}, due)


def write_course(course: Course, folder: Path) -> None:
    """Write source and configuration, release by nbgrader, then let everybody hand in."""
    _write_files(folder, {CONFIG_FILE: CONFIG + clean(course.config), **course.files})
    for made in course.assignments:
        source = folder / "source" / made.name
        _write_files(source, made.files)
        for name, notebook in made.notebooks.items():
            nbformat.write(notebook, source / f"{name}.ipynb")
        _release(folder, made)
        for submission in made.submissions:
            _hand_in(folder, made, submission)


def _release(folder: Path, made: Assignment) -> None:
    config = Config()
    config.CourseDirectory.root = str(folder)
    config.CourseDirectory.course_id = COURSE_ID
    config.CourseDirectory.assignment_id = made.name
    coursedir = CourseDirectory(config=config)
    with Gradebook(coursedir.db_url, COURSE_ID) as gradebook:
        gradebook.update_or_create_assignment(made.name, duedate=made.due)
    with _closed_kernels():
        GenerateAssignment(coursedir=coursedir, config=config).start()


@contextmanager
def _closed_kernels() -> Iterator[None]:
    """Close the connections to kernels that instantiate tests: nbgrader leaves them open."""
    started = []

    def start(**options: Any) -> Any:
        started.append(start_new_kernel(**options))
        return started[-1]

    with patch.object(instantiatetests, "start_new_kernel", start):
        yield
    for manager, client in started:
        client.stop_channels()
        manager.cleanup_resources()


def _hand_in(folder: Path, made: Assignment, submission: Submission) -> None:
    handed_in = folder / "submitted" / submission.student / made.name
    handed_in.mkdir(parents=True)
    _write_files(handed_in, {**made.files, **submission.files})
    for name, source in made.notebooks.items():
        if name in submission.without:
            continue
        notebook = nbformat.read(folder / "release" / made.name / f"{name}.ipynb", as_version=4)
        _answer(notebook, source, submission)
        if submission.edit is not None:
            submission.edit(notebook)
        nbformat.write(notebook, handed_in / f"{name}.ipynb")
    if submission.submitted_at:
        (handed_in / "timestamp.txt").write_text(submission.submitted_at, encoding="utf-8")


def _answer(notebook: NotebookNode, source: NotebookNode, submission: Submission) -> None:
    solutions = {cell.metadata.nbgrader.grade_id: cell for cell in source.cells if is_solution(cell)}
    for cell in filter(is_solution, notebook.cells):
        grade_id = cell.metadata.nbgrader.grade_id
        if grade_id in submission.answers:
            cell.source = clean(submission.answers[grade_id])
        elif submission.solved:
            cell.source = without_marks(deepcopy(solutions[grade_id].source))


def is_solution(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def without_marks(source: str) -> str:
    """Return a reference solution as a learner would write it: without the lines that mark it."""
    return re.sub(r"^\s*### (BEGIN|END) (SOLUTION|MARK SCHEME)\n?", "", source, flags=re.MULTILINE)


def _write_files(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{clean(content)}\n", encoding="utf-8")
