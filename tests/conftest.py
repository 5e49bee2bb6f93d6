"""Fixtures of every test.

with_own_commands   (automatic) the environment's commands are on PATH, as `spoc` has it
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def with_own_commands() -> Iterator[None]:
    """nbgrader calls `alembic` by its bare name when it makes a gradebook."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", sysconfig.get_path("scripts"), prepend=os.pathsep)
        yield
