"""Every cell shows the same in a forked process as in a kernel that nbgrader runs it in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode, validate
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.preprocessors import Execute

from graders.execution.results import RunLimits
from graders.execution.run import execute_notebook
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from tests.execution_corpus import CELLS

UNEQUAL = (
    (re.compile(r"0x[0-9a-f]+"), "0x"),
    (re.compile(r"/ipykernel_\d+/"), "/ipykernel/"),
    (re.compile(r"CPU times: .*\nWall time: .*"), "times"),
    (re.compile(re.escape(str(Path.home()))), "~"),
)
"""What differs from run to run of one kernel as well."""


@pytest.fixture(scope="module")
def in_a_kernel(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    resources = {"metadata": {"path": str(tmp_path_factory.mktemp("kernel"))}}
    with pytest.MonkeyPatch.context() as patch:
        # With this variable a kernel does not catch what is written behind Python's back.
        patch.delenv("PYTEST_CURRENT_TEST", raising=False)
        patch.setenv("NBGRADER_EXECUTION", "autograde")
        notebook, _ = Execute(kernel_name="python3").preprocess(_notebook(), resources)
    return notebook


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmParent]:
    environment = WarmEnvironment(imports=("numpy", "pandas", "matplotlib.pyplot"))
    with WarmParent(environment, roles={"cells": "graders.execution.cells"}) as parent:
        yield parent


@pytest.fixture(scope="module")
def in_a_fork(warm: WarmParent) -> NotebookNode:
    return execute_notebook(_notebook(), {}, b"", warm, RunLimits(), None).seen


@pytest.mark.parametrize(("place", "name"), list(enumerate(CELLS)), ids=list(CELLS))
def test_a_cell_shows_what_it_shows_in_a_kernel(
    place: int, name: str, in_a_kernel: NotebookNode, in_a_fork: NotebookNode
) -> None:
    assert _shown(in_a_fork.cells[place]) == _shown(in_a_kernel.cells[place])


def test_what_was_run_is_a_valid_notebook(in_a_fork: NotebookNode) -> None:
    validate(in_a_fork)


def _notebook() -> NotebookNode:
    return new_notebook(cells=[new_code_cell(source) for source in CELLS.values()])


def _shown(cell: NotebookNode) -> dict[str, Any]:
    """Return number and outputs of a cell; nbgrader keeps parts of one stream as they come."""
    merged: list[dict[str, Any]] = []
    for output in cell.outputs:
        newest = merged[-1] if merged else {}
        if output.output_type == "stream" == newest.get("output_type") and output.name == newest["name"]:
            newest["text"] += output.text
        else:
            merged.append(dict(output))
    return {"count": cell.execution_count, "outputs": _without_chance(merged)}


def _without_chance(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, replacement in UNEQUAL:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, dict):
        return {key: _without_chance(item) for key, item in value.items()}
    return [_without_chance(item) for item in value] if isinstance(value, list) else value
