"""nbgrader's own tests of autograding pass with the engine, but for those that the plug-in names."""

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


@pytest.mark.parametrize("module", ["test_nbgrader_autograde", "test_api"])
def test_nbgraders_own_tests_pass_with_the_engine(module: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", str(tmp_path)]
    command += ["-p", "no:cacheprovider", "-p", "tests.equality.nbgrader_suite", "-q", "--tb=short"]
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
