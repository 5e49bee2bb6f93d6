"""The house stands as ARCHITECTURE.md says."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.quick

PROJECT = Path(__file__).parents[2]
ROOMS = ("course", "graders", "extensions", "hub_config")


@pytest.mark.parametrize("room", ROOMS)
def test_an_import_name_resolves_into_this_project(room: str) -> None:
    package = Path(str(import_module(room).__file__))
    assert package.parent == PROJECT / room
    assert (package.parent / "py.typed").is_file()


def test_the_lock_pins_every_package_and_names_no_address() -> None:
    lines = (PROJECT / "requirements.lock").read_text().splitlines()
    assert len(lines) > 50
    assert [line for line in lines if not re.match(r"[a-z0-9._\[\]-]+==\S+( ; .+)?$", line)] == []


def test_the_wheel_holds_the_rooms_and_no_course_content(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=PROJECT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = ZipFile(wheel).namelist()
    assert {f"{room}/py.typed" for room in ROOMS} <= set(names)
    assert any(name.endswith("share/jupyter/kernels/spoc/kernel.json") for name in names)
    assert [name for name in names if name.startswith(("course/modules", "tests", "benchmarks"))] == []
