"""One deployment and its worker for all tests here: a test hands in what nobody else relies on.

deployment   (package) ada, ben, cleo, dan and eve learn, tia teaches
grader       (package) the worker, with short limits
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from graders.worker import Grader
from hub_config.settings import SAMPLE_MODULES_DIR
from tests.handing_in import Deploy, Deployment
from tests.integration.grading.worker import LIMITS

LEARNERS = ("ada", "ben", "cleo", "dan", "eve")


@pytest.fixture(scope="package")
def deployment(deploy: Deploy) -> Deployment:
    members = [f"{name},{name.title()} Example,,learner" for name in LEARNERS]
    return deploy(*members, "tia,Tia Trainer,,trainer")


@pytest.fixture(scope="package")
def grader(deployment: Deployment) -> Iterator[Grader]:
    grader = Grader(deployment.state, SAMPLE_MODULES_DIR, "en", LIMITS)
    with grader.alone():
        yield grader
    grader.close()
