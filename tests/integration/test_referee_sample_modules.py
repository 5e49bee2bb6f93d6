"""Tests of the sample modules are all judged apart from the learner's code: solutions pass, stubs fail."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions

from course.manifest import read_course
from graders.authoring.build import build_course
from graders.authoring.regions import HIDDEN_TESTS, split
from graders.execution.results import RunLimits, TestCell, TestResult
from graders.execution.run import execute_notebook
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from graders.referee.calibration import Trust, calibrate, calibrated, instructor_side
from graders.referee.trial import InstructorSide, Referee

MODULES = Path(__file__).parents[2] / "course" / "modules"
SLUGS = read_course(MODULES).modules
LIMITS = RunLimits()


@dataclass(frozen=True)
class Exercises:
    """The exercises of one module, built as an author builds them."""

    solved: NotebookNode
    tests: dict[str, TestCell]
    points: dict[str, float]
    files: bytes
    warm: WarmParent

    def trust(self) -> dict[str, Trust]:
        return calibrate(self.solved, self.tests, self.files, self.warm, LIMITS)

    def results(self, notebook: NotebookNode, side: InstructorSide) -> dict[str, TestResult]:
        judged = execute_notebook(
            notebook, self.tests, self.files, self.warm, LIMITS, lambda: Referee(self.warm, LIMITS, side)
        )
        return dict(judged.tests)


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmParent]:
    environment = WarmEnvironment(
        imports=("numpy", "pandas", "matplotlib.pyplot"), extensions=("extensions.kernel.extension",)
    )
    with WarmParent(environment) as warm:
        yield warm


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    build_course(MODULES, folder)
    return folder / "source"


@pytest.fixture(params=SLUGS)
def exercises(request: pytest.FixtureRequest, built: Path, warm: WarmParent) -> Exercises:
    folder = built / request.param
    solved = nbformat.read(folder / "exercises.ipynb", as_version=4)
    tests = {
        cell.metadata.nbgrader.grade_id: TestCell(
            cell.metadata.nbgrader.grade_id,
            cell.source,
            "\n".join(split(cell.source, HIDDEN_TESTS).visible),
        )
        for cell in solved.cells
        if cell.cell_type == "code"
        and cell.metadata.get("nbgrader", {}).get("grade")
        and not cell.metadata.nbgrader.solution
        and not cell.source.startswith("spoc.quiz")
    }
    points = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in solved.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    return Exercises(solved, tests, points, _tar(folder), warm)


def test_solutions_pass_and_stubs_fail_in_the_referee(exercises: Exercises) -> None:
    trust = exercises.trust()
    assert {key: (found.trust, found.reason) for key, found in trust.items()} == dict.fromkeys(
        exercises.tests, ("referee", "")
    )
    side = calibrated(instructor_side(exercises.solved, exercises.tests, exercises.files), trust)
    solved = exercises.results(exercises.solved, side)
    assert {key: result.status for key, result in solved.items()} == dict.fromkeys(exercises.tests, "ok")
    assert all(result.points in (None, exercises.points[key]) for key, result in solved.items())
    stub, _ = ClearSolutions().preprocess(deepcopy(exercises.solved), {})
    unsolved = exercises.results(stub, side).values()
    assert all(result.status == "runtime-error" or result.points == 0 for result in unsolved)


def test_all_autograded_exercises_are_there(built: Path) -> None:
    cells = [
        cell.metadata.nbgrader
        for slug in SLUGS
        for cell in nbformat.read(built / slug / "exercises.ipynb", as_version=4).cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
    ]
    assert len(cells) == 24


def _tar(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".ipynb":
                archive.add(path, str(path.relative_to(folder)))
    return buffer.getvalue()
