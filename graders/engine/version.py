"""A new version of an assignment: what its source says now, when submissions of an older one are there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import nbformat
from nbgrader import api
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import SaveCells
from sqlalchemy import select
from sqlalchemy.orm import Session

from course.errors import CourseError, NotFound
from graders.engine.gradebook import complete
from graders.engine.history import ScoreChange, record_changes
from graders.engine.plan import AssignmentPlan, PlannedNotebook, planned_notebook
from graders.engine.steps import StepFailed, call, classes
from graders.repair.source import SourceCell, source_notebook

_KINDS: Mapping[str, type[api.BaseCell]] = {
    "grade": api.GradeCell,
    "solution": api.SolutionCell,
    "task": api.TaskCell,
}


def newest_version(plan: AssignmentPlan) -> AssignmentPlan:
    """Return the plan by what the source folder says now, instead of what the gradebook has.

    Raises:
        NotFound: There is no source of a notebook.
        CourseError: A step of the release fails on it.
    """
    return replace(plan, notebooks={name: _newest(plan, each) for name, each in plan.notebooks.items()})


def _newest(plan: AssignmentPlan, notebook: PlannedNotebook) -> PlannedNotebook:
    name = notebook.name
    if not notebook.solved:
        raise NotFound(f"There is no source of {name}.ipynb.", f"Put it into source/{plan.assignment}/.")
    steps = classes(GenerateAssignment(config=plan.config).preprocessors)
    before_saving = steps[: next(place for place, step in enumerate(steps) if issubclass(step, SaveCells))]
    place = {"student": ".", "assignment": plan.assignment, "notebook": name, "db_url": plan.db_url}
    try:
        made = call(
            before_saving,
            plan.config,
            nbformat.reads(notebook.solved, as_version=4),
            {"unique_key": name, "nbgrader": place},
        )
    except StepFailed as failed:
        raise CourseError(f"{name}.ipynb cannot be released: {failed}") from failed
    return planned_notebook(name, source_notebook(made), notebook.solved, plan.config, plan.quiz_cell)


def refuse_loss(session: Session, plan: AssignmentPlan) -> None:
    """Look whether the gradebook can take over the cells of `plan`; changes nothing.

    Raises:
        CourseError: A cell is gone that somebody has a mark or a comment for by hand.
    """
    for found in _notebooks(session, plan):
        for kind in _KINDS:
            there = _there(session, found, kind)
            for name in there.keys() - _wanted(plan.notebooks[found.name], kind).keys():
                _refuse_loss(there[name])


def take_over(session: Session, plan: AssignmentPlan) -> None:
    """Make the gradebook's cells those of `plan`; grades and comments of cells that stay are kept.

    Every submission gets a grade for each new cell, which waits until the submission is graded; scores of
    cells that are gone are in the history from then on.

    Raises:
        CourseError: A cell is gone that somebody has a mark or a comment for by hand.
    """
    for found in _notebooks(session, plan):
        notebook = plan.notebooks[found.name]
        found.kernelspec = json.dumps(dict(notebook.source.kernelspec or {}))
        for kind in _KINDS:
            _take_over_kind(session, found, kind, _wanted(notebook, kind))
        _take_over_sources(session, found, notebook.source.named)
        session.expire(found)
        for submitted in found.submissions:
            complete(submitted)
    session.flush()
    session.expire_all()


def _notebooks(session: Session, plan: AssignmentPlan) -> list[api.Notebook]:
    query = select(api.Assignment).where(api.Assignment.name == plan.assignment)
    return list(session.scalars(query).one().notebooks)


def _there(session: Session, found: api.Notebook, kind: str) -> dict[str, api.BaseCell]:
    model = _KINDS[kind]
    return {cell.name: cell for cell in session.scalars(select(model).where(model.notebook_id == found.id))}


def _wanted(notebook: PlannedNotebook, kind: str) -> dict[str, SourceCell]:
    return {cell.grade_id: cell for cell in notebook.source.cells if getattr(cell, kind)}


def _take_over_kind(
    session: Session, found: api.Notebook, kind: str, wanted: Mapping[str, SourceCell]
) -> None:
    model, there = _KINDS[kind], _there(session, found, kind)
    for name in there.keys() - wanted.keys():
        _remove(session, there[name])
    for name, cell in wanted.items():
        row = there.get(name)
        if row is None:
            row = model(name=name, notebook_id=found.id)
            session.add(row)
        if isinstance(row, api.GradeCell | api.TaskCell):
            row.max_score, row.cell_type = cell.points, cell.cell_type
    session.flush()


def _remove(session: Session, cell: api.BaseCell) -> None:
    _refuse_loss(cell)
    record_changes(session, [_taken(grade) for grade in cell.grades if grade.auto_score is not None])
    for row in (*cell.grades, *cell.comments):
        session.delete(row)
    session.flush()
    session.delete(cell)


def _refuse_loss(cell: api.BaseCell) -> None:
    by_hand = [row for row in cell.grades if row.manual_score is not None or row.extra_credit]
    by_hand += [row for row in cell.comments if row.manual_comment]
    if by_hand:
        whose = ", ".join(sorted({row.notebook.assignment.student_id for row in by_hand}))
        raise CourseError(
            f"{cell.name} is gone from the source, but has marks or comments by hand: of {whose}.",
            "Put it back; it may be worth 0 points.",
        )


def _taken(grade: api.Grade) -> ScoreChange:
    submission = grade.notebook.assignment
    return ScoreChange(
        submission.name,
        submission.student_id,
        grade.notebook.name,
        grade.name,
        before=grade.auto_score,
        after=None,
        waited_before=grade.needs_manual_grade,
        waits_after=False,
    )


def _take_over_sources(session: Session, found: api.Notebook, wanted: Mapping[str, SourceCell]) -> None:
    there = {cell.name: cell for cell in found.source_cells}
    for name in there.keys() - wanted.keys():
        session.delete(there[name])
    for name, cell in wanted.items():
        row = there.get(name)
        if row is None:
            row = api.SourceCell(name=name, notebook_id=found.id)
            session.add(row)
        row.cell_type, row.locked, row.source = cell.cell_type, cell.locked, cell.source
        row.checksum = cell.nbgrader_metadata()["checksum"]
    session.flush()
