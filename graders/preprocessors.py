"""The engine by nbgrader's own plug points: for `nbgrader autograde`, and for a course to ask for its rules.

With this configuration `nbgrader autograde` repairs notebooks and runs them as the engine does, one after
another. The engine does all of these steps in its own way, see `graders.engine.steps`.
"""

from __future__ import annotations

import atexit
import functools
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    Execute,
    IgnorePattern,
    LimitOutput,
    NbGraderPreprocessor,
    SaveAutoGrades,
)
from sqlalchemy.orm import Session
from traitlets import Float
from traitlets.config import Config

from course.scores import quiz_cell
from graders.engine.archive import tar_of
from graders.engine.plan import AssignmentPlan, read_plan
from graders.engine.scores import write_quiz_points
from graders.engine.submission import run_notebook
from graders.engine.trust import trusted
from graders.engine.warm import environment_of
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from graders.repair.files import read_folder
from graders.repair.notebook import repair


def configure(c: Config) -> None:
    """Make grading with configuration `c` repair notebooks, run them in the sandbox and count quiz points."""
    c.Autograde.sanitize_preprocessors = [ClearOutput, RepairNotebook, CheckCellMetadata]
    c.Autograde.autograde_preprocessors = [
        RunNotebook,
        QuizPoints,
        IgnorePattern,
        ClearMetadataPreprocessor,
        LimitOutput,
        SaveAutoGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]


class RepairNotebook(NbGraderPreprocessor):
    """Puts a submitted notebook right by the gradebook and the author's own, as `graders.repair` does."""

    is_done_by_engine = True

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        plan = _plan(self.config, resources)
        name = resources["nbgrader"]["notebook"]
        repaired = repair(nbformat.writes(nb).encode(), plan.notebooks[name].source, f"{name}.ipynb")
        for each in repaired.repairs:
            self.log.warning("%s", each.text)
        return repaired.notebook, resources


class RunNotebook(Execute):
    """Runs a notebook in a forked and confined process, and its tests apart from it where they can be."""

    is_done_by_engine = True

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        plan = _plan(self.config, resources)
        environment = environment_of(plan)
        warm = _warm(environment)
        plan = trusted(plan, "auto", environment, warm, Path(_coursedir(self.config).root))
        beside = read_folder(Path(resources["metadata"]["path"])).files
        files = {name: content for name, content in beside.items() if not name.endswith(".ipynb")}
        name = resources["nbgrader"]["notebook"]
        run = run_notebook(plan, plan.notebooks[name], nb, tar_of(files), warm)
        return run.graded, resources


class QuizPoints(NbGraderPreprocessor):
    """Writes the points of a quiz as the output of its cell, for nbgrader to take as partial credit.

    The number comes from the event record and never passes through the learner's kernel. Plain `nbgrader
    autograde` knows no record: the points that the gradebook holds already stay.
    """

    is_done_by_engine = True

    points = Float(None, allow_none=True, help="Points in the quiz of the assignment.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        name = quiz_cell(resources["nbgrader"]["assignment"])
        points = self._kept(name, resources["nbgrader"]) if self.points is None else self.points
        write_quiz_points(nb, name, points)
        return nb, resources

    def _kept(self, name: str, place: dict[str, Any]) -> float:
        with Gradebook(place["db_url"]) as gradebook:
            try:
                grade = gradebook.find_grade(name, place["notebook"], place["assignment"], place["student"])
            except MissingEntry:
                return 0.0
            return grade.auto_score or 0.0


@functools.cache
def _warm(environment: WarmEnvironment) -> WarmParent:
    """Return the fork server of this process: nbgrader makes its steps anew for each notebook."""
    warm = WarmParent(environment)
    atexit.register(warm.close)
    return warm


def _plan(config: Config, resources: dict[str, Any]) -> AssignmentPlan:
    place = resources["nbgrader"]
    with Gradebook(place["db_url"]) as gradebook, Session(gradebook.engine) as session:
        return read_plan(_coursedir(config), place["assignment"], config, session)


def _coursedir(config: Config) -> CourseDirectory:
    # nbgrader works in the root of the course directory.
    return CourseDirectory(config=config)
