"""Everything that grading goes by, read once for an assignment: gradebook, source folder, configuration."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from math import ceil
from pathlib import Path, PurePosixPath

import nbformat
from nbformat import NotebookNode
from nbformat.notebooknode import from_dict
from nbgrader.api import Assignment, Notebook
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, Execute
from nbgrader.utils import find_all_files
from sqlalchemy import select
from sqlalchemy.orm import Session
from traitlets.config import Config

from course.errors import CourseError, NotFound
from course.scores import quiz_cell
from graders.engine.archive import packed, tar_of, unpacked
from graders.engine.kernels import kernel_of_its_own
from graders.engine.owner import as_owner
from graders.engine.steps import Steps, read_steps
from graders.execution.results import RunLimits, TestCell
from graders.forkserver.limits import ProcessLimits
from graders.referee.trial import InstructorSide
from graders.repair.source import SourceCell, SourceNotebook

_NOTEBOOK_SECONDS = 300
_CELLS_OF_FULL_LENGTH = 10
"""So many cells of a notebook may take all the time that a cell may take."""
_GIVEN_LIMITS = ("memory_bytes", "scratch_bytes")
"""What a course may change: `c.SandboxProvisioner.memory_bytes` of its configuration."""


@dataclass(frozen=True, slots=True)
class PlannedNotebook:
    """A notebook of the assignment.

    Args:
        name: Without suffix.
        source: What a submission may not change.
        tests: By grade id, the cells that give points by being run.
        solved: The author's notebook with its solutions, as JSON; empty if it is not there.
        forgeable: By grade id, why a test runs beside the learner's code.
        failing: Tests that the author's own solution fails.
        instructor: What the other tests find that no learner made.
        kernel: The kernel that it runs in, if it needs one of its own; empty if it does not.
    """

    name: str
    source: SourceNotebook
    tests: Mapping[str, TestCell]
    solved: str
    forgeable: Mapping[str, str] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()
    instructor: InstructorSide = field(default_factory=InstructorSide)
    kernel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentPlan:
    """How the submissions of an assignment are graded; can be sent to another machine.

    Args:
        course_id: nbgrader's.
        assignment: Its name.
        db_url: Address of the gradebook: only for steps of the course's own that ask for it.
        notebooks: By name.
        files: By relative path, what the author gave beside the notebooks.
        left_alone: Of these, the ones that a learner's own version replaces.
        ignore: Patterns of file names that nbgrader passes over.
        limits: Of a notebook's run.
        permissions: Mode of the files of a result.
        group_writes: Whether folders of a result belong to a group that may write them.
        steps: Of the course's own.
        config: Of the steps.
        is_selection: Whether notebooks were asked for by name or pattern.
        others: Notebooks of the assignment that are left as they are.
        adds_students: Whether whoever submits becomes a student of the gradebook.
    """

    course_id: str
    assignment: str
    db_url: str
    notebooks: Mapping[str, PlannedNotebook]
    files: Mapping[str, bytes]
    left_alone: frozenset[str]
    ignore: tuple[str, ...]
    limits: RunLimits
    permissions: int
    group_writes: bool
    steps: Steps
    config: Config
    is_selection: bool = False
    others: frozenset[str] = frozenset()
    adds_students: bool = True

    @property
    def quiz_cell(self) -> str:
        """The grade id of the cell that carries quiz points; empty if the course counts none."""
        return quiz_cell(self.assignment) if self.steps.own_rules else ""

    def beside_notebooks(self, submitted: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return what lies beside the notebooks when they run: the learner's files under the author's."""
        out_of_place = self.out_of_place(submitted)
        files = {
            name: content
            for name, content in submitted.items()
            if not name.endswith(".ipynb") and name not in out_of_place
        }
        kept = self.left_alone & files.keys()
        return files | {name: content for name, content in self.files.items() if name not in kept}

    def out_of_place(self, submitted: Iterable[str]) -> frozenset[str]:
        """Return the submitted files that are where the author has a folder, or in what is a file there."""
        folders = {str(folder) for name in self.files for folder in PurePosixPath(name).parents}
        return frozenset(
            name
            for name in submitted
            if name in folders or any(str(above) in self.files for above in PurePosixPath(name).parents)
        )

    def tar_for_author(self) -> bytes:
        """Return what lies beside the author's own notebooks."""
        return tar_of(self.files)

    def only(self, pattern: str) -> AssignmentPlan:
        """Return the plan for the notebooks that match a pattern, like `nbgrader autograde --notebook`.

        Raises:
            NotFound: There is none.
        """
        if pattern == "*":
            return self
        chosen = {name: each for name, each in self.notebooks.items() if fnmatchcase(name, pattern)}
        if not chosen:
            names = ", ".join(self.notebooks)
            raise NotFound(f"{self.assignment!r} has no notebook {pattern!r}.", f"Its notebooks are: {names}")
        others = frozenset(self.notebooks.keys() - chosen.keys())
        return replace(self, notebooks=chosen, is_selection=True, others=others)


def read_plan(
    coursedir: CourseDirectory,
    assignment: str,
    config: Config,
    session: Session,
    limits: RunLimits | None = None,
) -> AssignmentPlan:
    """Return how an assignment is graded.

    Args:
        coursedir: The course directory; only its source folder is read.
        assignment: Which.
        config: Of the course.
        session: On the gradebook.
        limits: Of a notebook's run, instead of those that the configuration sets.

    Raises:
        NotFound: The gradebook does not know it, or knows no notebook of it.
        CourseError: A notebook of the source folder cannot be read.
    """
    found = session.scalars(select(Assignment).where(Assignment.name == assignment)).one_or_none()
    if found is None or not found.notebooks:
        raise NotFound(
            f"The gradebook has no assignment {assignment!r}.",
            f'Release it first: nbgrader generate_assignment "{assignment}"',
        )
    source = read_source(coursedir, assignment)
    steps, converter = read_steps(config), Autograde(config=config, coursedir=coursedir)
    not_a_test = quiz_cell(assignment) if steps.own_rules else ""
    return AssignmentPlan(
        course_id=coursedir.course_id,
        assignment=assignment,
        db_url=coursedir.db_url,
        notebooks={each.name: _notebook(each, source, config, not_a_test) for each in found.notebooks},
        files={name: content for name, content in source.items() if not name.endswith(".ipynb")},
        left_alone=frozenset(map(os.path.normpath, converter.exclude_overwriting.get(assignment, ()))),
        ignore=tuple(coursedir.ignore),
        limits=limits or _limits(config),
        permissions=int(str(converter.permissions), 8),
        group_writes=coursedir.groupshared,
        steps=steps,
        config=config,
        adds_students=converter.create_student,
    )


def read_source(coursedir: CourseDirectory, assignment: str) -> dict[str, bytes]:
    """Return by relative path what the author keeps for an assignment; read as the owner of the course."""
    step = coursedir.directory_structure.format(
        nbgrader_step=coursedir.source_directory, student_id=".", assignment_id=assignment
    )

    def act(root: Path) -> bytes:
        paths = [Path(name) for name in find_all_files(str(root / step), coursedir.ignore)]
        files = {path: path.read_bytes() for path in paths if path.is_file()}
        return packed({path.relative_to(root / step).as_posix(): content for path, content in files.items()})

    return unpacked(as_owner(Path(coursedir.root), act))[0]


def visible_part(source: str, config: Config) -> str:
    """Return the source of a test, task or locked cell without what is hidden from learners."""
    metadata = {"nbgrader": {"grade": True, "task": True}}
    cell = NotebookNode(cell_type="code", source=source, metadata=from_dict(metadata), outputs=[])
    for step in (ClearHiddenTests(config=config), ClearMarkScheme(config=config)):
        cell, _ = step.preprocess_cell(cell, {}, 0)
    return str(cell.source)


def planned_notebook(
    name: str, source: SourceNotebook, solved: str, config: Config, not_a_test: str
) -> PlannedNotebook:
    """Return how a notebook is graded.

    Args:
        name: Without suffix.
        source: What a submission may not change.
        solved: The author's notebook as JSON, or empty.
        config: Of the course.
        not_a_test: The cell that carries quiz points; empty if none does.
    """
    tests = {
        cell.grade_id: TestCell(cell.grade_id, cell.source, visible_part(cell.source, config))
        for cell in source.cells
        if cell.grade and not cell.solution and cell.cell_type == "code" and cell.grade_id != not_a_test
    }
    return PlannedNotebook(
        name=name, source=source, tests=tests, solved=solved, kernel=kernel_of_its_own(source.kernelspec)
    )


def _notebook(
    found: Notebook, source: Mapping[str, bytes], config: Config, not_a_test: str
) -> PlannedNotebook:
    known = {cell.grade_id: cell for cell in known_cells(found)}
    kernelspec = json.loads(found.kernelspec) if found.kernelspec else None
    try:
        solved = source.get(f"{found.name}.ipynb", b"").decode("utf-8")
        cells = SourceNotebook(_in_order(known, solved), kernelspec or None)
    # As nbformat ends with what is no notebook.
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise CourseError(
            f"{found.name}.ipynb in the source folder of {found.assignment.name!r} cannot be read: {error}",
            "Correct it, or put back what was there.",
        ) from error
    return planned_notebook(found.name, cells, solved, config, not_a_test)


def known_cells(found: Notebook) -> Iterator[SourceCell]:
    """Yield the cells of a notebook as the gradebook has them."""
    grades = {cell.name: cell for cell in found.grade_cells}
    tasks = {cell.name: cell for cell in found.task_cells}
    solutions = {cell.name for cell in found.solution_cells}
    for cell in found.source_cells:
        graded = grades.get(cell.name) or tasks.get(cell.name)
        yield SourceCell(
            cell_type=cell.cell_type,
            source=cell.source or "",
            grade_id=cell.name,
            grade=cell.name in grades,
            solution=cell.name in solutions,
            locked=bool(cell.locked),
            task=cell.name in tasks,
            points=0.0 if graded is None else float(graded.max_score),
            checksum=cell.checksum or "",
        )


def _in_order(known: Mapping[str, SourceCell], solved: str) -> tuple[SourceCell, ...]:
    """Return the cells as the author has them; without the author's notebook, as the gradebook has them."""
    rest, cells = dict(known), []
    for cell in nbformat.reads(solved, as_version=4).cells if solved else ():
        given = cell.metadata.get("nbgrader", {})
        if given.get("grade_id") in rest:
            cells.append(replace(rest.pop(given["grade_id"]), cell_id=cell.get("id", "")))
        elif not any(given.get(flag) for flag in ("grade", "solution", "locked", "task")):
            cells.append(SourceCell(cell.cell_type, cell.source, cell_id=cell.get("id", "")))
    return (*cells, *rest.values())


def _limits(config: Config) -> RunLimits:
    cell_seconds = Execute(config=config).timeout
    if not cell_seconds or cell_seconds < 0:
        # nbgrader's word for no limit; all cells together have one in any case.
        cell_seconds = _NOTEBOOK_SECONDS
    notebook_seconds = max(_NOTEBOOK_SECONDS, _CELLS_OF_FULL_LENGTH * cell_seconds)
    given = {name: config.SandboxProvisioner.get(name) for name in _GIVEN_LIMITS}
    usual = replace(ProcessLimits(), **{name: int(each) for name, each in given.items() if each})
    return RunLimits(
        cell_seconds=float(cell_seconds),
        notebook_seconds=float(notebook_seconds),
        process=replace(usual, cpu_seconds=max(usual.cpu_seconds, ceil(notebook_seconds))),
    )
