"""A worker starts whatever state the gradebook is in: what waits is tried again, other work goes on."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from course.state import StateFolder
from graders.worker import Grader
from hub_config.settings import SAMPLE_MODULES_DIR

pytestmark = pytest.mark.quick


def test_a_gradebook_that_cannot_be_read_does_not_end_the_worker(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = StateFolder(tmp_path)
    state.course_dir.mkdir()
    (state.course_dir / "gradebook.db").write_bytes(b"no database" * 1000)
    with closing(Grader(state, SAMPLE_MODULES_DIR, "en")) as grader, grader.alone():
        assert "nothing can be graded yet" in caplog.text
        grader.work_off()
