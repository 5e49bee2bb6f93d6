"""Mutated notebooks: how many keep the score of the unmutated one, and whether any unsolved one gains.

Seeded mutants (`benchmarks.mutations`) of the sample course's exercises, solved and as released, repaired and
then run with the full tests. Written answers count too: their text has to be in the cell to mark by hand.
The peer is what is left after nbgrader's own sanitising steps, for every fifth mutant, run in the same way.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from unittest.mock import patch

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    OverwriteCells,
    OverwriteKernelspec,
    SaveCells,
)
from nbgrader.utils import determine_grade, is_grade, is_solution

from benchmarks.figures import Figure, Figures, run
from benchmarks.mutations import Mutant, mutant
from benchmarks.solved import SolvedExercises, solved_exercises
from graders.engine.archive import tar_of
from graders.execution.results import RunLimits, TestCell
from graders.execution.run import execute_notebook
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from graders.repair.notebook import repair
from graders.repair.report import Unreadable

MUTANTS = 500
PEER_EVERY = 5
WORKERS = 2
ASSIGNMENT = "exercises"
LIBRARIES = ("numpy", "pandas", "matplotlib.pyplot")
STOCK_STEPS = (ClearOutput, DeduplicateIds, OverwriteKernelspec, OverwriteCells, CheckCellMetadata)

Marks = Mapping[str, float | str]
"""By grade_id: the points of a test, the text of a written answer."""


@dataclass(frozen=True, slots=True)
class _Bench:
    """One notebook, the files beside it, and where it is run."""

    exercises: SolvedExercises
    files: bytes
    warm: WarmParent

    def marks(self, notebook: NotebookNode) -> Marks:
        """Run a repaired notebook; return what it gets."""
        tests = {
            cell.grade_id: TestCell(cell.grade_id, cell.source, cell.released, "kernel")
            for cell in self.exercises.source.named.values()
            if cell.grade and not cell.solution
        }
        done = execute_notebook(notebook, tests, self.files, self.warm, RunLimits(), None)
        return {
            cell.metadata.nbgrader.grade_id: cell.source if is_solution(cell) else determine_grade(cell)[0]
            for cell in done.graded.cells
            if is_grade(cell)
        }


def measure(quick: bool) -> Figures:
    count = 2 * len(solved_exercises()) if quick else MUTANTS
    with WarmParent(WarmEnvironment(imports=LIBRARIES), roles={"cells": "graders.execution.cells"}) as warm:
        benches = [_Bench(each, _data(each.folder), warm) for each in solved_exercises()]
        solved = [(benches[seed // 7 % len(benches)], seed) for seed in range(count)]
        with ThreadPoolExecutor(WORKERS) as pool, _stock(benches) as stock:
            kept = list(pool.map(_keeps(benches, _repaired), solved))
            by_stock = list(pool.map(_keeps(benches, stock), solved[::PEER_EVERY]))
            gaining = list(pool.map(_gains, solved[::PEER_EVERY]))
        seconds = [_seconds(mutant(bench.exercises.solved, seed), bench) for bench, seed in solved]
    return {
        "mutants that keep the score": Figure(_percent(kept), "%", ">= 99", peer=_percent(by_stock)),
        "unsolved mutants that gain nothing": Figure(_percent(not each for each in gaining), "%", ">= 100"),
        "repair of one notebook": Figure(1000 * median(seconds), "ms"),
    }


Make = Callable[[_Bench, bytes], NotebookNode]
"""Makes of a submitted file what is run; raises what it raises where it cannot."""


def _repaired(bench: _Bench, content: bytes) -> NotebookNode:
    return repair(content, bench.exercises.source).notebook


@contextmanager
def _stock(benches: Iterable[_Bench]) -> Iterator[Make]:
    """Give what nbgrader leaves of a file; it reads its gradebook for each."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/gradebook.db"
        # nbgrader calls `alembic` by its bare name when it makes a gradebook.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        with patch.dict(os.environ, PATH=path), Gradebook(url) as gradebook:
            gradebook.add_assignment(ASSIGNMENT)
        place = {"assignment": ASSIGNMENT, "student": "ada", "db_url": url}
        for bench in benches:
            SaveCells().preprocess(
                bench.exercises.kept, {"nbgrader": {**place, "notebook": bench.exercises.name}}
            )

        def sanitise(bench: _Bench, content: bytes) -> NotebookNode:
            notebook = nbformat.reads(content.decode(), as_version=4)
            for step in STOCK_STEPS:
                resources = {"nbgrader": {**place, "notebook": bench.exercises.name}}
                notebook, _ = step().preprocess(notebook, resources)
            return notebook

        yield sanitise


def _keeps(benches: Iterable[_Bench], make: Make) -> Callable[[tuple[_Bench, int]], bool]:
    """Return the function that says whether a mutant gets all that the unmutated notebook gets."""
    full = {
        bench.exercises.name: bench.marks(_repaired(bench, _written(bench.exercises.solved)))
        for bench in benches
    }

    def keeps(work: tuple[_Bench, int]) -> bool:
        bench, seed = work
        try:
            notebook = make(bench, mutant(bench.exercises.solved, seed).content)
        # Whatever stops nbgrader here costs the learner the score.
        except Exception:
            return False
        marks = bench.marks(notebook)
        return all(_is_kept(mark, marks.get(name)) for name, mark in full[bench.exercises.name].items())

    return keeps


def _is_kept(mark: float | str, now: float | str | None) -> bool:
    if isinstance(mark, str):
        return isinstance(now, str) and mark.strip() in now
    return now == mark


def _gains(work: tuple[_Bench, int]) -> bool:
    """Return whether a mutant of the unsolved notebook gets a point."""
    bench, seed = work
    try:
        notebook = _repaired(bench, mutant(bench.exercises.released, seed).content)
    except Unreadable:
        return False
    return any(isinstance(mark, float) and mark > 0 for mark in bench.marks(notebook).values())


def _seconds(changed: Mutant, bench: _Bench) -> float:
    start = perf_counter()
    _repaired(bench, changed.content)
    return perf_counter() - start


def _data(folder: Path) -> bytes:
    paths = (path for path in (folder / "data").rglob("*") if path.is_file())
    return tar_of({str(path.relative_to(folder)): path.read_bytes() for path in paths})


def _written(notebook: NotebookNode) -> bytes:
    return json.dumps(notebook).encode()


def _percent(outcomes: Iterable[bool]) -> float:
    found = list(outcomes)
    return 100 * sum(found) / len(found)


if __name__ == "__main__":
    run(measure)
