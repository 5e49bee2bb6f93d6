"""What a member makes of the own home: it keeps nobody's from being backed up and restored."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from course.database import Database
from course.state import StateFolder
from hub_config.backup import back_up
from hub_config.restore import restore

pytestmark = pytest.mark.quick


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """A deployment with the homes of two members."""
    state = StateFolder(tmp_path / "state")
    state.root.mkdir()
    with closing(Database(state.database_url)):
        pass
    for name in ("ada", "mallory"):
        (state.homes_dir / name).mkdir(parents=True)
    (state.homes_dir / "ada" / "work").write_text("mine")
    return state


def test_a_path_longer_than_the_system_takes_is_left_out_and_all_else_restored(
    state: StateFolder, tmp_path: Path
) -> None:
    part = "d" * 250
    folder = os.open(state.homes_dir / "mallory", os.O_RDONLY)
    for _ in range(20):
        os.mkdir(part, dir_fd=folder)
        inner = os.open(part, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    made = back_up(state, tmp_path / "monday.tar.gz")
    elsewhere = StateFolder(tmp_path / "elsewhere")
    restore(elsewhere, made.path)
    assert (elsewhere.homes_dir / "ada" / "work").read_text() == "mine"
    assert len(made.left_out) == 1


def test_a_link_that_is_none_any_more_does_not_stop_a_backup(
    state: StateFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = state.homes_dir / "mallory" / "link"
    link.symlink_to("/etc")

    def swap() -> None:
        link.unlink()
        link.mkdir()

    monkeypatch.setattr(os, "readlink", _after(swap, os.readlink))
    made = back_up(state, tmp_path / "monday.tar.gz")
    elsewhere = StateFolder(tmp_path / "elsewhere")
    restore(elsewhere, made.path)
    assert (elsewhere.homes_dir / "ada" / "work").read_text() == "mine"
    assert len(made.left_out) == 1


def _after(first: Callable[[], object], read: Callable[..., str]) -> Callable[..., str]:
    """Return `read` of a link, before which `first` happens: a loop of a member's hits that moment."""

    def readlink(name: str, *, dir_fd: int) -> str:
        first()
        return read(name, dir_fd=dir_fd)

    return readlink
