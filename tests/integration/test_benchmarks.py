"""Each benchmark runs, cleans up, and keeps to the contract of its output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import names

pytestmark = [pytest.mark.hub, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", names())
def test_a_quick_run_prints_one_object_of_figures(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--quick", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    figures = json.loads(done.stdout)
    assert figures
    for figure in figures.values():
        assert set(figure) == {"value", "unit", "target", "peer"}
        assert figure["value"] > 0
        assert figure["peer"] is None or figure["peer"] > 0
    assert list(tmp_path.iterdir()) == []
