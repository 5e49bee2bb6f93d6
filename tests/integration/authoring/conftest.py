"""A course with one new module, what it is built into, and what of it is released."""

from __future__ import annotations

from pathlib import Path

import pytest

from course.database import Database
from course.releases import ReleaseStore
from course.state import StateFolder
from graders.authoring.build import build_course
from graders.authoring.starter import new_module
from tests.integration.authoring.course import SLUG


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A course with one new module."""
    new_module(tmp_path / "modules", SLUG, title="First steps")
    return tmp_path / "modules"


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path)


@pytest.fixture
def course_dir(modules: Path, state: StateFolder) -> Path:
    """That course, built."""
    build_course(modules, state.course_dir)
    return state.course_dir


@pytest.fixture
def releases(tmp_path: Path) -> ReleaseStore:
    return ReleaseStore(Database(f"sqlite:///{tmp_path / 'spoc.sqlite'}"))
