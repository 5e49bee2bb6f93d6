"""Fixtures of every test.

with_own_commands     (automatic) the environment's commands are on PATH, as `spoc` has it
with_one_alembic_run  (automatic) a new gradebook costs no process, but for the first
running_hub           (session) a real hub with the demo's course and cohort: tia teaches; ada, ben, chloe
                      learn
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from functools import cache

import pytest
from nbgrader import api

from tests.course_hub import CourseHub, course_hub


@pytest.fixture(scope="session", autouse=True)
def with_own_commands() -> Iterator[None]:
    """nbgrader calls `alembic` by its bare name when it makes a gradebook."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", sysconfig.get_path("scripts"), prepend=os.pathsep)
        yield


@pytest.fixture(scope="session", autouse=True)
def with_one_alembic_run() -> Iterator[None]:
    """nbgrader asks alembic for the newest version of its schema, which is the same for every gradebook."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "get_alembic_version", cache(api.get_alembic_version))
        yield


@pytest.fixture(scope="session")
def running_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CourseHub]:
    """Shared by all: a test that removes somebody or stops the hub starts its own with `course_hub`."""
    with course_hub(tmp_path_factory.mktemp("state")) as hub:
        yield hub
