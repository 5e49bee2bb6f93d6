"""Files are brought back to what they were at a moment, within bounds, and links are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders.execution.folder_state import FolderState

pytestmark = pytest.mark.quick


def contents(folder: Path) -> dict[str, str]:
    found = folder.rglob("*")
    return {str(path.relative_to(folder)): path.read_text() for path in found if path.is_file()}


def test_files_become_what_they_were(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    given = {"kept": "a", "changed": "b", "sub/gone": "c"}
    for name, text in given.items():
        (tmp_path / name).write_text(text)
    before = FolderState(tmp_path)
    (tmp_path / "changed").write_text("B")
    (tmp_path / "sub" / "gone").unlink()
    (tmp_path / "sub").rmdir()
    (tmp_path / "new").write_text("d")
    assert not before.is_as(FolderState(tmp_path))
    before.restore()
    assert contents(tmp_path) == given
    assert before.is_as(FolderState(tmp_path, before))


def test_what_a_link_leads_to_is_neither_kept_nor_changed(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    (outside / "file").write_text("1")
    (folder / "link").symlink_to(outside)
    before = FolderState(folder)
    (outside / "file").write_text("2")
    (outside / "more").write_text("3")
    before.restore()
    assert contents(outside) == {"file": "2", "more": "3"}
    assert (folder / "link").is_symlink()


def test_files_beyond_the_bounds_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graders.execution.folder_state.MAX_BYTES", 10)
    (tmp_path / "large").write_text("x" * 11)
    (tmp_path / "small").write_text("1")
    before = FolderState(tmp_path)
    (tmp_path / "large").write_text("y")
    (tmp_path / "small").write_text("2")
    (tmp_path / "new").write_text("3")
    before.restore()
    assert contents(tmp_path) == {"large": "y", "small": "1"}
    assert before.is_as(before)
    assert not before.is_as(FolderState(tmp_path))
