"""The files that a test and the code that it tests have in common: small ones, of their own folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from graders.referee import folder as common
from graders.referee.folder import Folder

pytestmark = pytest.mark.quick


def test_a_file_that_is_too_large_to_cross_keeps_no_other_back(tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(bytes(common.MAX_BYTES + 1))
    (tmp_path / "small.txt").write_text("x")
    (tmp_path / "inner").mkdir()
    made = Folder([str(tmp_path)]).changes()["made"]
    assert made == {str(tmp_path / "inner"): None, str(tmp_path / "small.txt"): "eA=="}


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="nothing is mounted within another folder")
def test_what_is_mounted_within_a_folder_is_not_part_of_it() -> None:
    below = Path("/dev/shm", f"spoc-test-{os.getpid()}")
    below.touch()
    try:
        files = Folder(["/dev"]).files()
    finally:
        below.unlink()
    assert not [path for path in files if path.startswith("/dev/shm")]
