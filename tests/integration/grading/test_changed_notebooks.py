"""A notebook that was changed costs nothing that can be told, and else fails with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbformat import NotebookNode

from graders.worker import Grader
from tests.handing_in import EXERCISE, Deployment, cell_of, edited, with_code
from tests.integration.grading.worker import graded, points_of


def test_run_tags_do_not_pass_tests(deployment: Deployment, grader: Grader, tmp_path: Path) -> None:
    def tag(notebook: NotebookNode) -> None:
        for cell in notebook.cells:
            cell.metadata["tags"] = ["skip-execution", "raises-exception"]

    submission = graded(deployment, grader, "eve", edited(deployment.release_dir, tmp_path / "a", tag))
    assert submission.points == 0


def test_a_notebook_chooses_no_kernel(deployment: Deployment, grader: Grader, tmp_path: Path) -> None:
    def choose(notebook: NotebookNode) -> None:
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Mine", "language": "python"}
        cell_of(notebook, EXERCISE).source += "\nimport os; print('home is', os.environ['HOME'])"

    submission = graded(deployment, grader, "eve", edited(deployment.source_dir, tmp_path / "a", choose))
    assert "home is /home/learner" in deployment.page(submission)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not a notebook"),
        ('{"cells": 1}', "is not a notebook"),
        ("[" * 100_000, "nests too deep to be a notebook"),
    ],
)
def test_a_broken_notebook_fails_with_a_reason(
    deployment: Deployment, grader: Grader, tmp_path: Path, content: str, reason: str
) -> None:
    folder = edited(deployment.release_dir, tmp_path / "a", lambda _notebook: None)
    (folder / "exercises.ipynb").write_text(content)
    submission = graded(deployment, grader, "eve", folder)
    assert submission.state == "failed"
    assert f"exercises.ipynb {reason}" in submission.problem
    assert submission.claims == 1


@pytest.mark.parametrize(
    "metadata",
    [[1], {"grade_id": {"a": 1}}, {"schema_version": 99}, {"grade": True, "points": "x"}, {"grade": True}],
    ids=["a list", "a name that is none", "a later format", "points that are none", "no name"],
)
def test_grading_data_that_was_changed_costs_nothing(
    deployment: Deployment, grader: Grader, tmp_path: Path, metadata: object
) -> None:
    def spoil(notebook: NotebookNode) -> None:
        given = cell_of(notebook, f"{EXERCISE}-tests").metadata
        given["nbgrader"] = {**given["nbgrader"], **metadata} if isinstance(metadata, dict) else metadata
        if metadata == {"grade": True}:
            del given["nbgrader"]["grade_id"]

    submission = graded(deployment, grader, "eve", edited(deployment.source_dir, tmp_path / "a", spoil))
    assert (submission.state, submission.problem) == ("graded", "")
    assert submission.points == 17


def test_a_copied_test_cell_costs_nothing(deployment: Deployment, grader: Grader, tmp_path: Path) -> None:
    def copy(notebook: NotebookNode) -> None:
        notebook.cells.append(NotebookNode(cell_of(notebook, f"{EXERCISE}-tests"), id="copied"))

    submission = graded(deployment, grader, "eve", edited(deployment.source_dir, tmp_path / "a", copy))
    assert submission.state == "graded", submission.problem
    assert points_of(deployment, submission)[f"{EXERCISE}-tests"] == 2


def test_a_result_that_is_no_points_fails_its_cell_alone(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    forge = "from IPython import get_ipython\n"
    forge += "get_ipython().events.register('post_run_cell', lambda result: get_ipython().displayhook(99))"
    submission = graded(
        deployment, grader, "eve", edited(deployment.source_dir, tmp_path / "a", with_code(forge))
    )
    assert submission.state == "graded", submission.problem


def test_a_submission_without_a_notebook_fails_with_a_reason(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    submission = graded(deployment, grader, "eve", tmp_path)
    assert submission.state == "failed"
    assert "exercises" in submission.problem
