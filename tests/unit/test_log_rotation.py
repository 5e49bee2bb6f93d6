"""The hub's log stays within bounds, whoever floods it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hub_config.log_rotation import bounded_log
from tests.waiting import wait_until

pytestmark = pytest.mark.quick

FLOOD = "import os\nfor n in range(20_000): os.write(1, b'line %06d\\n' % n)"


def test_a_flood_fills_no_more_than_the_bound_and_what_comes_after_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "hub.log"
    with bounded_log(path, largest_bytes=10_000, kept=2, look_seconds=0.01) as log:
        for _ in range(4):
            subprocess.run([sys.executable, "-c", FLOOD], stdout=log, check=True)
            wait_until(lambda: path.stat().st_size <= 10_000)
        subprocess.run([sys.executable, "-c", "print('still heard')"], stdout=log, check=True)
    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == ["hub.log", "hub.log.1", "hub.log.2"]
    assert all(each.stat().st_size <= 10_100 for each in files)
    assert "still heard\n" in (tmp_path / "hub.log.1").read_text() + path.read_text()


def test_a_short_log_is_continued_and_a_long_one_of_an_earlier_start_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "hub.log"
    path.write_text("earlier\n")
    with bounded_log(path) as log:
        log.write(b"later\n")
    assert path.read_text() == "earlier\nlater\n"
    with bounded_log(path, largest_bytes=6):
        pass
    assert path.read_text() == ""
    assert (tmp_path / "hub.log.1").read_text() == "later\n"
