"""Fixtures of every test.

with_own_commands     (automatic) the environment's commands are on PATH, as `spoc` has it
with_one_alembic_run  (automatic) a new gradebook costs no process, but for the first
deploy                (session) makes deployments with a released module and the members that it is given
demo_state            (session) the demo's state folder, to copy
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

from course.state import StateFolder
from hub_config.demo import prepare_demo
from hub_config.runtime import free_port
from tests.course_hub import CourseHub, course_hub
from tests.handing_in import Deploy, deployed, release_module


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
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Deploy:
    """Each deployment is a copy: building and releasing a module takes seconds."""
    released = StateFolder(tmp_path_factory.mktemp("released") / "state")
    release_module(released)
    return lambda *members: deployed(released, tmp_path_factory.mktemp("deployment"), *members)


@pytest.fixture(scope="session")
def demo_state(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    state = StateFolder(tmp_path_factory.mktemp("demo") / "state")
    prepare_demo(state, free_port())
    return state


@pytest.fixture(scope="session")
def running_hub(demo_state: StateFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CourseHub]:
    """Shared by all: a test that removes somebody or stops the hub starts its own."""
    with course_hub(demo_state, tmp_path_factory.mktemp("hub") / "state") as hub:
        yield hub
