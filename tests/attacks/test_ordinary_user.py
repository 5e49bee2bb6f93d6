"""What holds for a fork server that root started holds for one of an ordinary user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PAGES = ("test_forked_child.py", "test_forked_limits.py")
NOBODY = 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs these pages already")
def test_all_of_this_holds_for_an_ordinary_user() -> None:
    root = Path(__file__).parents[2]
    pages = [str(Path(__file__).parent / page) for page in PAGES]
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    reads = subprocess.run([*as_nobody, "test", "-r", sys.executable, "-a", "-r", __file__], check=False)
    if reads.returncode != 0:
        pytest.skip("no ordinary user may read this Python environment")
    home = Path(tempfile.mkdtemp(prefix="spoc-nobody-"))
    shutil.chown(home, NOBODY, NOBODY)
    try:
        ended = subprocess.run(
            [*as_nobody, sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", *pages],
            cwd=root,
            env={**os.environ, "HOME": str(home), "TMPDIR": str(home)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        shutil.rmtree(home)
    assert ended.returncode == 0, ended.stdout[-6000:]
