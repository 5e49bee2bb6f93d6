"""The sample course's exercises as the gradebook keeps them, and as a learner hands them in, solved."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

from course.manifest import read_course
from graders.authoring.regions import MARKS
from graders.authoring.source import read_source
from graders.repair.source import SourceNotebook, source_notebook
from hub_config.settings import SAMPLE_MODULES_DIR


@dataclass(frozen=True, slots=True)
class SolvedExercises:
    """One notebook: `kept` by the gradebook with hidden tests, `released`, and `solved` by a learner."""

    name: str
    folder: Path
    source: SourceNotebook
    kept: NotebookNode
    released: NotebookNode
    solved: NotebookNode


def solved_exercises() -> list[SolvedExercises]:
    """Return the exercises of each sample module; they read files of `folder`."""
    return [_solved(SAMPLE_MODULES_DIR / slug) for slug in read_course(SAMPLE_MODULES_DIR).modules]


def _solved(folder: Path) -> SolvedExercises:
    written = read_source(folder / "exercises.md").built()
    kept = _run(written, LockCells, ClearSolutions, ClearOutput, ComputeChecksums)
    released = _run(kept, ClearHiddenTests, ClearMarkScheme, ComputeChecksums)
    solved = deepcopy(released)
    for cell, model in zip(solved.cells, written.cells, strict=True):
        if cell.metadata.get("nbgrader", {}).get("solution"):
            lines = model.source.splitlines()
            cell.source = "\n".join(line for line in lines if not any(mark in line for mark in MARKS))
    return SolvedExercises(folder.name, folder, source_notebook(kept), kept, released, solved)


def _run(notebook: NotebookNode, *steps: Any) -> NotebookNode:
    """Return what nbgrader's release steps make of a notebook; it stays as it is."""
    made = deepcopy(notebook)
    for step in steps:
        made, _ = step().preprocess(made, {})
    return made
