"""The tests of `nbgrader autograde` and of nbgrader's API pass with the engine, but for those named here."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.equality.stock import environment

ASKED_FOR = "SPOC_NBGRADER_SUITE"
pytestmark = [
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        not os.environ.get(ASKED_FOR), reason=f"takes minutes: make test-nbgrader ({ASKED_FOR}=1)"
    ),
    pytest.mark.skipif(find_spec("nbgrader.tests") is None, reason="nbgrader came without its tests"),
]

SUITE_SECONDS = 1100
NOT_REACHED = {
    "test_missing_student": "--Autograde.create_student=False",
    "test_filter_notebook": "--notebook",
    "test_force_single_notebook": "--notebook",
    "test_update_newer_single_notebook": "--notebook",
    "test_no_execute": "--no-execute",
}
"""What is no business of an engine, or has no meaning where scores come from running tests."""
DELIBERATE = {
    "test_grade_empty_timestamp": "a timestamp that cannot be read is told, and the submission graded",
    "test_side_effects": "what learner code wrote is not left beside the result",
    "test_handle_failure": "a notebook that stock cannot read is repaired, and graded",
    "test_handle_failure_single_notebook": "a notebook that stock cannot read is repaired, and graded",
    "test_missing_source_kernelspec": "the kernel that a learner's notebook names is not asked for",
}
"""What the engine does otherwise, each for a reason."""


@pytest.mark.parametrize("module", ["test_nbgrader_autograde", "test_api"])
def test_nbgraders_own_tests_pass_with_the_engine(module: str, tmp_path: Path) -> None:
    others = [*NOT_REACHED, *DELIBERATE]
    command = [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", str(tmp_path)]
    command += ["-p", "no:cacheprovider", "-p", "tests.equality.nbgrader_suite", "-q", "--tb=short"]
    command += ["-k", " and ".join(f"not {name}" for name in others)]
    command += ["--pyargs", f"nbgrader.tests.apps.{module}"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=SUITE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    assert "passed" in done.stdout
