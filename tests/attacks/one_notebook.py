"""One learner's notebook as `--trust auto` grades it: the solution is calibrated, the answer is judged."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from graders.execution.results import ExecutedNotebook, RunLimits, TestCell
from graders.execution.run import execute_notebook
from graders.feedback_message import note_results, why_tests_failed
from graders.forkserver.client import ForkClient
from graders.referee.calibration import calibrate, calibrated, instructor_side
from graders.referee.trial import Referee

LIMITS = RunLimits(cell_seconds=5, notebook_seconds=60)


def graded(
    warm: ForkClient,
    solution: str,
    answer: str,
    tests: Mapping[str, str | tuple[str, str]],
    given: str = "",
    files: Mapping[str, str] | None = None,
) -> ExecutedNotebook:
    """Return the run of a notebook.

    Args:
        warm: Where processes come from.
        solution: The author's answer.
        answer: The learner's.
        tests: By name, the full source; and what of it is visible, unless it is hidden altogether.
        given: A cell of the author's before the answer.
        files: The author's, beside the notebook.
    """
    pairs = {key: (test, "") if isinstance(test, str) else test for key, test in tests.items()}
    cells = {key: TestCell(key, *pair) for key, pair in pairs.items()}
    source = _notebook(given, solution, {key: full for key, (full, _) in pairs.items()})
    submitted = _notebook(given, answer, {key: visible for key, (_, visible) in pairs.items()})
    content = tar_of(files or {})
    trust = calibrate(source, cells, content, warm, LIMITS)
    side = calibrated(instructor_side(source, cells, content), trust)
    placed = {key: trust[key].placed(cell) for key, cell in cells.items()}
    return execute_notebook(submitted, placed, content, warm, LIMITS, lambda: Referee(warm, LIMITS, side))


def told(run: ExecutedNotebook) -> dict[str, str]:
    """Return what the learner reads of each test that failed."""
    note_results(run.seen, run.tests)
    named = {cell.metadata.nbgrader.grade_id: cell for cell in run.seen.cells}
    return {
        key: why_tests_failed(named[key], str) for key, result in run.tests.items() if result.status != "ok"
    }


def _notebook(given: str, answer: str, tests: Mapping[str, str]) -> NotebookNode:
    cells = [_cell("given", given, locked=True), _cell("answer", answer, solution=True)]
    return new_notebook(
        cells=[*cells, *(_cell(key, text, grade=True, locked=True) for key, text in tests.items())]
    )


def _cell(key: str, text: str, **kind: bool) -> NotebookNode:
    kinds = {"grade": False, "solution": False, "locked": False, "task": False, **kind}
    return new_code_cell(text, metadata={"nbgrader": {"grade_id": key, "points": 1, **kinds}})


def tar_of(files: Mapping[str, str]) -> bytes:
    """Return files as they go beside a notebook: by name, empty for none."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue() if files else b""
