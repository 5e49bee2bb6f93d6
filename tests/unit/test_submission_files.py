"""Files of a submission that are not used: what that means for its points."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from traitlets.config import Config

from course.archive import MAX_BYTES
from graders.engine.plan import AssignmentPlan, PlannedNotebook
from graders.engine.results import GradedSubmission, SubmissionContent
from graders.engine.steps import read_steps
from graders.engine.submission import grade_submission
from graders.execution.results import RunLimits
from graders.forkserver.client import attach
from graders.repair.files import read_folder
from graders.repair.source import SourceNotebook

pytestmark = pytest.mark.quick


def a_plan(files: Mapping[str, bytes] = MappingProxyType({})) -> AssignmentPlan:
    """Return how an assignment of two notebooks is graded, with files of its author's."""
    return AssignmentPlan(
        course_id="course",
        assignment="week",
        db_url="",
        notebooks={name: PlannedNotebook(name, SourceNotebook(()), {}, "") for name in ("one", "two")},
        files=files,
        left_alone=frozenset(),
        ignore=(),
        limits=RunLimits(),
        permissions=0o444,
        group_writes=False,
        steps=read_steps(Config()),
        config=Config(),
    )


def graded(folder: Path, language: str = "en") -> GradedSubmission:
    """Return what comes of a folder without any process: what is refused is never run."""
    read = read_folder(folder)
    content = SubmissionContent(student="ada", files=read.files, left_out=read.problems, language=language)
    return grade_submission(a_plan(), content, attach(folder / "nobody.sock"))


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another one"])
def test_a_notebook_that_is_too_large_is_refused_and_not_missing(tmp_path: Path, *, beside: bool) -> None:
    with (tmp_path / "one.ipynb").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    if beside:
        (tmp_path / "two.ipynb").write_text("{}")
    result = graded(tmp_path)
    assert (result.is_graded, result.missing) == (False, ())
    assert result.problem == "one.ipynb is too large for a notebook; clear its outputs."
    assert "trop volumineux" in graded(tmp_path, "fr").problem


def test_a_notebook_that_is_a_link_is_refused_and_not_missing(tmp_path: Path) -> None:
    (tmp_path / "one.ipynb").symlink_to("two.ipynb")
    assert graded(tmp_path).problem == "one.ipynb is a link; links are not followed."


def test_a_notebook_among_files_that_nobody_looked_at_is_not_missing(tmp_path: Path) -> None:
    for number in range(5001):
        (tmp_path / f"{number}.txt").touch()
    assert "too many files" in graded(tmp_path).problem


def test_a_notebook_that_was_not_submitted_is_told_whatever_else_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").symlink_to("two.ipynb")
    assert "None of the assignment's notebooks" in graded(tmp_path).problem


def test_a_file_where_the_author_has_a_folder_gives_way_and_so_does_the_reverse() -> None:
    plan = a_plan({"data/more/cars.csv": b"author", "notes": b"author"})
    submitted = {
        "data": b"x",
        "data/more": b"x",
        "notes/mine.txt": b"x",
        "data/own.csv": b"x",
        "notes2": b"x",
    }
    assert plan.out_of_place(submitted) == {"data", "data/more", "notes/mine.txt"}
    assert plan.beside_notebooks(submitted).keys() == {*plan.files, "data/own.csv", "notes2"}
