"""A fork server, and notebooks that run in a process of it.

warm      (package) the server
execute   runs cells: sources, and for tests a pair of what is hidden and what is not
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from graders.execution.results import RunLimits, TestCell
from graders.execution.run import execute_notebook
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from tests.integration.execution.notebooks import Execute, marked_cell


@pytest.fixture(scope="package")
def warm() -> Iterator[WarmParent]:
    with WarmParent(WarmEnvironment(), roles={"cells": "graders.execution.cells"}) as parent:
        yield parent


@pytest.fixture
def execute(warm: WarmParent) -> Execute:
    """Run cells: sources, and for tests a pair of what is hidden and what is not."""

    def run(*cells: str | tuple[str, str], files: bytes = b"", referee: Any = None, **limits: Any) -> Any:
        tests = {}
        notebook = new_notebook(cells=[new_markdown_cell("# Title")])
        for place, cell in enumerate(cells):
            if isinstance(cell, str):
                notebook.cells.append(new_code_cell(cell))
                continue
            name = f"test-{place}"
            visible, _ = cell
            tests[name] = TestCell(name, "\n".join(filter(None, cell)), visible)
            notebook.cells.append(marked_cell(name))
        return execute_notebook(notebook, tests, files, warm, RunLimits(**limits), referee)

    return run
