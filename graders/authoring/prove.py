"""Runs a module as its learners will: the solution has to pass, the empty stub to fail, the lesson to work.

The solution runs twice, with and without the hidden tests: learners see only the others.

Every run is a kernel of its own in a folder of its own. This is the author's code, so it runs unconfined.
"""

from __future__ import annotations

import asyncio
import math
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions
from nbgrader.utils import determine_grade
from traitlets.config import Config

from course.lint import Finding
from graders.authoring.source import KERNELSPEC, SourceNotebook

KERNEL = KERNELSPEC["name"]
CELL_SECONDS = 60
"""Longest time of one cell; what learners run together on one machine has to stay far below."""

Failures = dict[int, str]
"""By position in the notebook: why a cell failed, in one line."""

_NEEDS_SERVICE = re.compile(r"\s*spoc\.(quiz|submit|feedback)\b")


@dataclass(frozen=True, slots=True)
class _Run:
    """What came of a notebook: failed cells, and the points of the others that are tests."""

    failures: Failures
    points: Mapping[int, tuple[float, float]]
    """By position: points that it gave, and points that there are."""


def prove_module(lesson: SourceNotebook, exercises: SourceNotebook, data_dir: Path) -> tuple[Finding, ...]:
    """Run lesson, solutions and stub; both notebooks must be without findings.

    The notebooks find the files of `data_dir`, which may be missing, as `data/`.
    """
    return asyncio.run(_prove(lesson, exercises, data_dir))


async def _prove(lesson: SourceNotebook, exercises: SourceNotebook, data_dir: Path) -> tuple[Finding, ...]:
    stub, _ = ClearSolutions().preprocess(exercises.built(), {})
    visible, _ = ClearHiddenTests().preprocess(exercises.built(), {})
    with TemporaryDirectory(prefix="spoc-prove-") as folder:
        in_lesson, in_solution, in_visible, in_stub = await asyncio.gather(
            _run(lesson, lesson.built(), data_dir, Path(folder, "lesson")),
            _run(exercises, exercises.built(), data_dir, Path(folder, "solution")),
            _run(exercises, visible, data_dir, Path(folder, "visible")),
            _run(exercises, stub, data_dir, Path(folder, "stub")),
        )
    only_visible = {
        index: reason for index, reason in in_visible.failures.items() if index not in in_solution.failures
    }
    return (
        *_failures(lesson, "E016", in_lesson.failures),
        *_failures(exercises, "E014", in_solution.failures | dict(_lost(in_solution))),
        *_failures(exercises, "E017", only_visible),
        *_passing_stubs(exercises, in_stub),
        *_failures(exercises, "E017", dict(_broken_stubs(exercises, in_stub.failures))),
    )


async def _run(source: SourceNotebook, notebook: NotebookNode, data_dir: Path, folder: Path) -> _Run:
    """Run every cell in a new kernel; go on after a failure, as a learner can."""
    folder.mkdir()
    if data_dir.is_dir():
        shutil.copytree(data_dir, folder / "data")
    # The course service is no part of this run.
    needs_service = [cell.kind == "quiz" or bool(_NEEDS_SERVICE.match(cell.source)) for cell in source.cells]
    for cell, skipped in zip(notebook.cells, needs_service, strict=True):
        if skipped:
            cell.source = ""
    started: list[int] = []
    client = NotebookClient(
        notebook,
        kernel_name=KERNEL,
        timeout=CELL_SECONDS,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
        config=Config(KernelManager={"transport": "ipc", "ip": str(folder.with_suffix(".sock"))}),
        on_cell_start=lambda cell, cell_index: started.append(cell_index),
    )
    stopped: Failures = {}
    try:
        # An author's own start-up files are not on a learner's machine.
        await client.async_execute(env={**os.environ, "IPYTHONDIR": str(folder / ".ipython")})
    except CellTimeoutError:
        stopped[started[-1]] = f"it ran for more than {CELL_SECONDS} s"
    except DeadKernelError:
        stopped[started[-1]] = "the kernel died"
    raised = dict(_errors(notebook))
    not_run = range(started[-1] + 1, len(notebook.cells)) if stopped else ()
    failures = raised | stopped | dict.fromkeys(not_run, "a cell before it stopped the run")
    tests = [
        index for index, cell in enumerate(source.cells) if cell.kind == "tests" and index not in failures
    ]
    return _Run(failures, {index: _points(notebook.cells[index]) for index in tests})


def _points(cell: NotebookNode) -> tuple[float, float]:
    """Return the points of a test that ran, as nbgrader reads them, and those that there are."""
    points = float(cell.metadata.nbgrader.points)
    try:
        earned, _ = determine_grade(cell)
    except ValueError:
        # More than there are: nbgrader would not grade the notebook at all.
        return math.inf, points
    return float(earned), points


def _lost(run: _Run) -> Iterator[tuple[int, str]]:
    for index, (earned, points) in run.points.items():
        if earned > points:
            yield index, f"it gives more than its {points:g} points"
        elif earned < points:
            yield index, f"the solution gets {earned:g} of {points:g} points"


def _errors(notebook: NotebookNode) -> Iterator[tuple[int, str]]:
    for index, cell in enumerate(notebook.cells):
        expected = "raises-exception" in cell.metadata.get("tags", [])
        for output in cell.get("outputs", []):
            if output.output_type == "error" and not expected:
                reason = f"{output.ename}: {output.evalue}".strip(": ").splitlines()[0]
                # IPython names a cell by a number of its own.
                yield index, re.sub(r"\(\d+\.py, ", "(", reason)


def _failures(source: SourceNotebook, code: str, failures: Failures) -> Iterator[Finding]:
    for index, reason in sorted(failures.items()):
        cell = source.cells[index]
        if cell.cell_type == "code":
            name = f"{cell.grade_id}: " if cell.grade_id else ""
            yield Finding(source.path, cell.line, code, f"{name}{reason}")


def _passing_stubs(source: SourceNotebook, run: _Run) -> Iterator[Finding]:
    for index, (earned, points) in run.points.items():
        if earned > 0:
            cell = source.cells[index]
            what = "passes" if earned >= points else f"gives {earned:g} of {points:g} points"
            yield Finding(source.path, cell.line, "E015", f"{cell.grade_id} {what} with nothing written")


def _broken_stubs(source: SourceNotebook, failures: Failures) -> Iterator[tuple[int, str]]:
    """Yield solution cells that are no Python without their region, which no learner could run."""
    for index, reason in failures.items():
        if source.cells[index].kind == "solution" and reason.startswith(("SyntaxError", "IndentationError")):
            yield index, f"the stub is no Python: {reason}"
