"""A fork server that is started before the plan is read is the one that the plan asks for."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from graders.engine.early import EarlyStart
from graders.engine.warm import environment_for
from graders.forkserver.client import attach
from graders.forkserver.environment import WarmEnvironment
from tests.equality.cells import code, notebook


@pytest.fixture
def course(tmp_path: Path) -> Path:
    source = tmp_path / "source" / "ps1"
    source.mkdir(parents=True)
    nbformat.write(
        notebook(code("import pandas as pd\nimport json"), code("%matplotlib inline")), source / "a.ipynb"
    )
    return tmp_path


def test_what_the_notebooks_import_is_there_already(course: Path) -> None:
    with EarlyStart(course, "ps1", unsafe_no_sandbox=False) as early:
        warm = early.warm_for(WarmEnvironment(imports=("pandas",)))
        # One that this process has not started just now, but answers.
        with attach(warm.address).fork("cells"):
            pass


def test_another_environment_gets_another_fork_server(course: Path) -> None:
    with EarlyStart(course, "ps1", unsafe_no_sandbox=False) as early:
        first = early.warm_for(WarmEnvironment(imports=("pandas",)))
        other = early.warm_for(WarmEnvironment(imports=("numpy",)))
        assert other is not first
        assert not first.address.exists()
        other.ensure_running()


@pytest.mark.parametrize(
    ("assignment", "text"),
    [
        ("ps1", "["),
        ("ps1", "[]"),
        ("ps1", "\xff"),
        ("ps1", '{"cells": [{"cell_type": "code", "source": null}]}'),
        ("ps2", "["),
        ("../ps1", "["),
    ],
)
def test_unreadable_and_missing_notebooks_are_left_to_who_reads_the_plan(
    course: Path, assignment: str, text: str
) -> None:
    (course / "source" / "ps1" / "b.ipynb").write_text(text, encoding="latin-1")
    with EarlyStart(course, assignment, unsafe_no_sandbox=False) as early:
        early.warm_for(WarmEnvironment()).ensure_running()


def test_notebooks_of_before_version_4_are_read_too() -> None:
    old = '{"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["import numpy"]}]}]}'
    assert environment_for([old], ()).imports == ("numpy",)
