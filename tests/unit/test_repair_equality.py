"""On honest work, repair leaves what nbgrader's own sanitising preprocessors leave."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import nbgrader.tests
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    DeduplicateIds,
    LockCells,
    OverwriteCells,
    OverwriteKernelspec,
    SaveCells,
)

from benchmarks.solved import SolvedExercises, solved_exercises
from graders.repair.notebook import repair
from graders.repair.source import SourceNotebook, source_notebook

FILES = Path(nbgrader.tests.__path__[0])
ASSIGNMENT = "ps1"
KEEP = (LockCells, ClearSolutions, ClearOutput, CheckCellMetadata, ComputeChecksums, SaveCells)
RELEASE = (ClearHiddenTests, ClearMarkScheme, ComputeChecksums, CheckCellMetadata)
SANITISE = (ClearOutput, DeduplicateIds, OverwriteKernelspec, OverwriteCells, CheckCellMetadata)
OWN_SOURCE = (
    "apps/files/test",
    "apps/files/test-with-output",
    "apps/files/test-hidden-tests",
    "apps/files/timeout",
    "apps/files/autotest-simple",
    "preprocessors/files/test",
    "preprocessors/files/test_taskcell",
    "preprocessors/files/manually-graded-code-cell",
    "ui-tests/files/task",
)
PAIRS = (
    ("apps/files/submitted-unchanged", "apps/files/submitted-changed"),
    ("apps/files/submitted-unchanged", "apps/files/submitted-locked-cell-changed"),
    ("apps/files/submitted-unchanged", "apps/files/submitted-grade-cell-changed"),
    ("apps/files/submitted-unchanged", "apps/files/submitted-cheat-attempt"),
    ("apps/files/submitted-unchanged", "apps/files/submitted-cheat-attempt-alternative"),
    ("preprocessors/files/submitted-unchanged", "preprocessors/files/submitted-changed"),
    ("ui-tests/files/submitted-unchanged", "ui-tests/files/submitted-changed"),
    ("apps/files/autotest-hidden", "apps/files/autotest-hidden-changed-right"),
    ("apps/files/autotest-multi", "apps/files/autotest-multi-changed"),
    *((name, name) for name in OWN_SOURCE),
)


@dataclass(frozen=True)
class Stock:
    """nbgrader with a gradebook of its own."""

    db_url: str

    def run(self, notebook: NotebookNode, name: str, steps: tuple[Any, ...]) -> NotebookNode:
        place = {"notebook": name, "assignment": ASSIGNMENT, "student": "ada", "db_url": self.db_url}
        made = deepcopy(notebook)
        for step in steps:
            made, _ = step().preprocess(made, {"nbgrader": place})
        return made


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    url = f"sqlite:///{tmp_path_factory.mktemp('gradebook')}/gradebook.db"
    with Gradebook(url) as gradebook:
        gradebook.add_assignment(ASSIGNMENT)
    return Stock(url)


def parts(notebook: NotebookNode) -> Any:
    """All but the ids of cells: where a file has none, nbformat makes them up."""
    cells = [{key: value for key, value in cell.items() if key != "id"} for cell in notebook.cells]
    return json.loads(json.dumps({**notebook, "cells": cells}))


def written(notebook: NotebookNode) -> bytes:
    return json.dumps(notebook).encode()


@pytest.mark.parametrize(("source_file", "submitted_file"), PAIRS)
def test_nbgraders_own_notebooks_come_out_as_from_nbgrader(
    stock: Stock, source_file: str, submitted_file: str
) -> None:
    name = f"{source_file}-{submitted_file}".replace("/", "-")
    kept = stock.run(read(source_file), name, KEEP)
    submitted = stock.run(kept, name, RELEASE) if submitted_file == source_file else read(submitted_file)
    expected = stock.run(submitted, name, SANITISE)
    assert parts(repair(written(submitted), source_notebook(kept)).notebook) == parts(expected)


def read(name: str) -> NotebookNode:
    path = FILES / f"{name}.ipynb"
    if not path.exists():
        pytest.skip("this nbgrader was installed without its tests")
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("exercises", solved_exercises(), ids=lambda exercises: exercises.name)
@pytest.mark.parametrize("is_solved", [True, False], ids=["solved", "as released"])
def test_the_sample_course_comes_out_as_from_nbgrader(
    stock: Stock, exercises: SolvedExercises, is_solved: bool
) -> None:
    submitted = exercises.solved if is_solved else exercises.released
    source = stock_source(stock, exercises)
    done = repair(written(submitted), source)
    assert parts(done.notebook) == parts(stock.run(submitted, exercises.name, SANITISE))
    assert [cell.id for cell in done.notebook.cells] == [cell.id for cell in submitted.cells]
    assert done.repairs == ()


@pytest.mark.parametrize("exercises", solved_exercises(), ids=lambda exercises: exercises.name)
def test_a_learners_own_cells_and_edits_stay_where_they_are(stock: Stock, exercises: SolvedExercises) -> None:
    submitted = deepcopy(exercises.solved)
    for index in (1, 5, 9, len(submitted.cells)):
        submitted.cells.insert(index, nbformat.v4.new_code_cell(f"trial = {index}\ntrial"))
        submitted.cells.insert(index, nbformat.v4.new_markdown_cell("## What I found"))
    submitted.cells[0].source += "\n\nMy own note."
    submitted.cells = [cell for cell in submitted.cells if cell.source != "# spoc.submit()"]
    for cell in submitted.cells:
        if cell.cell_type == "code":
            cell.execution_count = 3
            cell.outputs = [nbformat.v4.new_output("stream", text="seen\n")]
    source = stock_source(stock, exercises)
    done = repair(written(submitted), source)
    assert parts(done.notebook) == parts(stock.run(submitted, exercises.name, SANITISE))
    assert done.repairs == ()


def stock_source(stock: Stock, exercises: SolvedExercises) -> SourceNotebook:
    """Save the source in nbgrader's gradebook as well."""
    stock.run(exercises.kept, exercises.name, (SaveCells,))
    return exercises.source
