"""Runs one notebook of a module as the grading engine would.

This is the author's code. Where the machine can do that, it is confined like a learner's, as in grading.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import nbformat
from nbformat import NotebookNode
from nbformat.notebooknode import from_dict
from nbgrader.preprocessors import ClearHiddenTests

from course.errors import CourseError, SandboxUnavailable
from graders.authoring.cells import SourceCell
from graders.authoring.source import KERNELSPEC, SourceNotebook
from graders.engine.archive import tar_of
from graders.engine.warm import environment_for
from graders.execution.results import ExecutedNotebook, RunLimits, TestCell
from graders.execution.run import execute_notebook
from graders.execution.status import KERNEL_DIED, NOT_RUN, OUT_OF_TIME, InfrastructureFault
from graders.forkserver.client import ForkClient
from graders.forkserver.parent import WarmParent
from graders.referee.calibration import Trust, calibrate, calibrated, instructor_side
from graders.referee.trial import Referee

CELL_SECONDS = 30
"""Longest time of one cell: nbgrader's own limit when it grades."""
NOTEBOOK_SECONDS = 300
_TRIES = 3

Failures = Mapping[int, str]
"""By position in the notebook: why a cell failed, in one line."""
Result = TypeVar("Result")

_NEEDS_SERVICE = re.compile(r"\s*spoc\.(quiz|submit|feedback)\b")
_ENDS: Mapping[str, str] = MappingProxyType(
    {
        OUT_OF_TIME: "it ran for more than {seconds} s",
        KERNEL_DIED: "the kernel died",
        NOT_RUN: "a cell before it stopped the run",
    }
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a notebook."""

    failures: Failures
    """Of all cells, with tests in full."""
    seen_failures: Failures
    """Of all cells, with tests as learners see them."""
    points: Mapping[int, tuple[float, float]]
    """Of tests that did not fail, by position: points that it gave, and points that there are."""


@contextmanager
def warm_for(sources: Iterable[SourceNotebook]) -> Iterator[ForkClient]:
    """Give a fork server that suits these notebooks; without walls on a machine that cannot have them."""
    notebooks = [nbformat.writes(source.built()) for source in sources]
    environment = environment_for(notebooks, {KERNELSPEC["name"]})
    with ExitStack() as stack:
        try:
            warm = stack.enter_context(WarmParent(environment))
        except SandboxUnavailable as error:
            _log.warning("The notebooks run without a sandbox: %s", error.problem)
            warm = stack.enter_context(WarmParent(environment, unsafe_no_sandbox=True))
        yield warm


class Bench:
    """Where one notebook and its stub are run.

    Args:
        source: The notebook.
        files: A tar of what lies beside it.
        warm: Where processes come from.
    """

    def __init__(self, source: SourceNotebook, files: bytes, warm: ForkClient) -> None:
        self._source = source
        self._files = files
        self._warm = warm
        self._limits = RunLimits(cell_seconds=CELL_SECONDS, notebook_seconds=NOTEBOOK_SECONDS)
        self._solved = self._without_service(source.built())
        self._tests = _tests(source)

    def trusts(self) -> dict[str, Trust]:
        """Return by grade id where the reference solution says that each test can be judged."""
        return _patiently(lambda: calibrate(self._solved, self._tests, self._files, self._warm, self._limits))

    def run(self, notebook: NotebookNode, trusts: Mapping[str, Trust] | None = None) -> Run:
        """Run the notebook, with its solutions or without.

        Args:
            notebook: It has the source's cells.
            trusts: Where each test is judged; None: beside the code that it tests.
        """
        runnable, tests, referee = self._without_service(notebook), self._tests, None
        for cell, described in zip(runnable.cells, self._source.cells, strict=True):
            if described.kind == "tests":
                # More points than there are would be capped; here they are a mistake to be seen.
                cell.metadata.nbgrader.points = math.inf
        if trusts is not None:
            tests = {name: replace(trusts[name].placed(test), at_end=False) for name, test in tests.items()}
            side = calibrated(instructor_side(self._solved, tests, self._files), trusts)
            referee = partial(Referee, self._warm, self._limits, side)
        return self._outcome(
            _patiently(
                lambda: execute_notebook(runnable, tests, self._files, self._warm, self._limits, referee)
            )
        )

    def _outcome(self, executed: ExecutedNotebook) -> Run:
        failures = _errors(executed.graded)
        points = {}
        for index, cell in enumerate(self._source.cells):
            if cell.kind == "tests" and index not in failures:
                result = executed.tests[cell.grade_id]
                full = _full_points(cell)
                earned = full if result.points is None else result.points
                points[index] = (earned if result.status == "ok" else 0.0, full)
        return Run(failures, _errors(executed.seen), points)

    def _without_service(self, notebook: NotebookNode) -> NotebookNode:
        """Return a copy in which nothing asks the course service, which is no part of this run."""
        copy = from_dict(notebook)
        for cell, described in zip(copy.cells, self._source.cells, strict=True):
            if described.kind == "quiz" or _NEEDS_SERVICE.match(described.source):
                cell.source = ""
        return copy


def _tests(source: SourceNotebook) -> dict[str, TestCell]:
    """Return the tests of a notebook by grade id."""
    visible, _ = ClearHiddenTests().preprocess(source.built(), {})
    return {
        cell.grade_id: TestCell(cell.grade_id, cell.source, seen.source)
        for cell, seen in zip(source.cells, visible.cells, strict=True)
        if cell.kind == "tests"
    }


def data_tar(data_dir: Path) -> bytes:
    """Return a tar of what a build lays beside the notebooks as `data/`; empty if there is no such folder."""
    paths = [path.relative_to(data_dir) for path in data_dir.rglob("*") if path.is_file()]
    plain = [path for path in paths if not any(part.startswith(".") for part in path.parts)]
    return tar_of({f"data/{path.as_posix()}": (data_dir / path).read_bytes() for path in plain})


def _full_points(cell: SourceCell) -> float:
    return float((cell.metadata["nbgrader"] if cell.native else cell.metadata)["points"])


def _patiently(run: Callable[[], Result]) -> Result:
    """Return what `run` does; what the platform fails is tried again.

    Raises:
        CourseError: It failed every time.
    """
    for _ in range(_TRIES - 1):
        try:
            return run()
        except InfrastructureFault as fault:
            _log.warning("Running a notebook again: %s", fault)
    try:
        return run()
    except InfrastructureFault as fault:
        raise CourseError(f"The notebooks could not be run: {fault}", "Run the command again.") from fault


def _errors(notebook: NotebookNode) -> dict[int, str]:
    """Return by position why cells failed that were not meant to."""
    failed = {}
    for index, cell in enumerate(notebook.cells):
        errors = [each for each in cell.get("outputs", []) if each.output_type == "error"]
        ends = [_ENDS[each.ename].format(seconds=CELL_SECONDS) for each in errors if each.ename in _ENDS]
        if ends:
            failed[index] = ends[0]
        elif errors and "raises-exception" not in cell.metadata.get("tags", []):
            failed[index] = _reason(errors[0])
    return failed


def _reason(error: NotebookNode) -> str:
    reason = f"{error.ename}: {error.evalue}".strip(": ").splitlines()[0]
    # IPython names a cell by a number of its own.
    return re.sub(r"\(\d+\.py, ", "(", reason)
