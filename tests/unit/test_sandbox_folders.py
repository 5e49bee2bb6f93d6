"""What processes leave in the folder for temporary files when they are killed."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest

from graders.engine.pool import Pool
from graders.sandbox.folders import make_folder, remove_folders, sweep_folders

pytestmark = pytest.mark.quick


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def ended_process() -> int:
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    return pid


def test_folders_of_ended_processes_are_swept_and_no_others(tmp_path: Path) -> None:
    left = tmp_path / f"spoc-fork-{ended_process()}-x"
    (left / "shared").mkdir(parents=True)
    kept = {make_folder("fork"), tmp_path / "spoc-course-x", tmp_path / f"spoc-fork-{'9' * 30}"}
    for folder in kept:
        folder.mkdir(exist_ok=True)
    linked = tmp_path / f"spoc-fork-{ended_process()}-y"
    linked.symlink_to(kept.copy().pop())
    sweep_folders()
    assert set(tmp_path.iterdir()) == {*kept, linked}


def test_folders_of_one_process_are_removed(tmp_path: Path) -> None:
    (tmp_path / f"spoc-kernel-{os.getpid() + 1}-x").mkdir()
    make_folder("kernel")
    remove_folders(os.getpid())
    assert len(list(tmp_path.iterdir())) == 1


def leave(_task: str) -> None:
    make_folder("kernel")
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_pool_removes_what_a_killed_process_left(tmp_path: Path) -> None:
    with Pool[str, None](leave, 1) as pool:
        pool.put("a")
        (done,) = pool.done()
    assert done.kind == "died"
    assert list(tmp_path.iterdir()) == []
