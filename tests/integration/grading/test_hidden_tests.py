"""No submission shows a hidden test to its learner."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from graders.worker import Grader
from tests.handing_in import EXERCISE, Deployment, cell_of, edited
from tests.integration.grading.worker import graded


def hidden_lines(deployment: Deployment) -> set[str]:
    """Return the lines that only the hidden tests have."""
    notebook = nbformat.read(deployment.source_dir / "exercises.ipynb", as_version=4)
    release = "\n".join(
        cell.source for cell in nbformat.read(deployment.release_dir / "exercises.ipynb", as_version=4).cells
    )
    regions = re.findall(
        r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS",
        "\n".join(cell.source for cell in notebook.cells),
        re.DOTALL,
    )
    lines = {line.strip() for region in regions for line in region.splitlines()}
    return {line for line in lines if len(line) > 20 and line not in release}


def test_nothing_that_code_prints_or_raises_shows_hidden_tests(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    spy = """
import base64, builtins, inspect
class Spy(Exception): pass
def leak(*args, **kwargs):
    frames = [frame.frame.f_globals.get("In", []) for frame in inspect.stack()]
    text = "".join(str(cells) for cells in frames if cells)
    print(text); print(base64.b64encode(text.encode()).decode())
    raise Spy(text)
tidy_columns = leak
"""

    def spy_on_tests(notebook: NotebookNode) -> None:
        cell_of(notebook, EXERCISE).source = spy
        notebook.cells.append(nbformat.v4.new_code_cell("for source in In: print(source)"))

    submission = graded(
        deployment, grader, "cleo", edited(deployment.release_dir, tmp_path / "a", spy_on_tests)
    )
    assert submission.state == "graded"
    hidden = hidden_lines(deployment)
    assert len(hidden) > 5
    folder = deployment.state.feedback_dir / str(submission.id)
    told = "\n".join(path.read_text() for path in folder.iterdir())
    assert [line for line in hidden if line in told] == []
    assert "HIDDEN" not in told


def test_a_kernel_that_ends_in_the_run_without_hidden_tests_shows_none_of_the_first_run(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    spy = """
import os
from IPython import get_ipython
begins = "BEGIN " + "HIDDEN"
def spy(info):
    if begins in info.raw_cell:
        print(info.raw_cell)
    elif "tidy_columns(" in info.raw_cell and "assert" in info.raw_cell:
        os._exit(0)
get_ipython().events.register("pre_run_cell", spy)
"""

    def spy_on_tests(notebook: NotebookNode) -> None:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(spy))

    folder = edited(deployment.source_dir, tmp_path / "a", spy_on_tests)
    submission = graded(deployment, grader, "cleo", folder)
    assert submission.state == "graded"
    feedback = deployment.state.feedback_dir / str(submission.id)
    told = "\n".join(path.read_text() for path in feedback.iterdir())
    assert "Not run." in told, "the second run ended where the attack wants it to"
    assert [line for line in hidden_lines(deployment) if line in told] == []
    seen = nbformat.read(feedback / "exercises.ipynb", as_version=4)
    unrun = [
        cell for cell in seen.cells if any(out.get("ename") == "NotRun" for out in cell.get("outputs", ()))
    ]
    assert unrun
    assert all(len(cell.outputs) == 1 for cell in unrun)
