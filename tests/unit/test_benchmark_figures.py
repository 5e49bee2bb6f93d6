"""The contract of every benchmark's output, and the page that `make bench` writes."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.__main__ import names, page
from benchmarks.figures import Figure

pytestmark = pytest.mark.quick

NOISY = '''
"""Counts."""
import subprocess
from benchmarks.figures import Figure, run

def measure(quick):
    print("noise")
    subprocess.run(["echo", "noise of a child"])
    return {"count": Figure(1.0 if quick else 2.0, "items", ">= 2", 0.5)}

run(measure)
'''


def output(tmp_path: Path, *options: str) -> str:
    script = tmp_path / "counting.py"
    script.write_text(NOISY)
    command = [sys.executable, str(script), *options]
    root = Path(__file__).parents[2]
    return subprocess.run(
        command, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=True
    ).stdout


def test_json_is_one_object_on_standard_output_and_nothing_else(tmp_path: Path) -> None:
    assert json.loads(output(tmp_path, "--json", "--quick")) == {
        "count": {"value": 1.0, "unit": "items", "target": ">= 2", "peer": 0.5}
    }


def test_without_json_a_person_reads_whether_the_target_is_met(tmp_path: Path) -> None:
    assert output(tmp_path) == "count: 2 items; target >= 2, met; peer 0.5\n"


@pytest.mark.parametrize(
    ("value", "target", "met"), [(2, "<= 2", True), (2.1, "<= 2", False), (3, ">= 4", False), (3, None, None)]
)
def test_a_target_says_which_side_is_good(value: float, target: str | None, met: bool | None) -> None:
    assert Figure(value, "s", target).met is met


def test_every_benchmark_is_found_by_its_measure() -> None:
    assert "walk" in names()
    assert "figures" not in names()


def test_the_page_names_machine_versions_and_figures() -> None:
    figures = {"server_start": Figure(3.25, "s", "<= 10", 2.5), "memory": Figure(200.0, "MiB")}
    text = "\n".join(page({"walk": figures}, datetime(2026, 3, 2, 9, 0, tzinfo=UTC)))
    assert "2026-03-02 09:00 UTC" in text
    assert "jupyterhub 6." in text
    assert "| server start | 3.25 s | <= 10 s | yes | 2.5 |" in text
    assert "| memory | 200 MiB | – | – | – |" in text
