"""What counts as submitted is the file: a page that is ahead of it must not go in unnoticed."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from extensions.kernel.submission import _has_unsaved_changes

pytestmark = pytest.mark.quick

SAVED = {"a": "def area(r):\n    return r", "b": "spoc.submit()"}


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "exercises.ipynb"
    cells = [nbformat.v4.new_code_cell(source, id=cell) for cell, source in SAVED.items()]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_cells_that_were_run_as_they_are_saved_may_go_in(notebook: Path) -> None:
    assert not _has_unsaved_changes(notebook, SAVED)


def test_a_cell_that_was_run_with_another_source_is_unsaved(notebook: Path) -> None:
    assert _has_unsaved_changes(
        notebook, {"a": "def area(r):\n    return 3.14 * r * r", "b": "spoc.submit()"}
    )


def test_the_cell_that_submits_may_differ_from_the_file(notebook: Path) -> None:
    assert not _has_unsaved_changes(notebook, {"a": SAVED["a"], "b": "spoc.submit()  # now"})


def test_a_cell_that_was_deleted_since_does_not_count(notebook: Path) -> None:
    assert not _has_unsaved_changes(notebook, {"gone": "1 + 1", "a": SAVED["a"], "b": SAVED["b"]})
