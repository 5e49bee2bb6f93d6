"""Tells which tests of a module run beside learners' code, where their results can be forged, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from course.lint import Finding
from graders.authoring.source import SourceNotebook
from graders.referee.analysis import obstacles
from graders.referee.calibration import Trust


def forgeable_by_text(exercises: SourceNotebook, *, strict: bool) -> Iterator[Finding]:
    """Yield the tests of which the text tells already that no referee can run them.

    Args:
        exercises: The notebook; it may have findings.
        strict: Whether its module refuses such tests.
    """
    for cell in exercises.cells:
        if cell.kind == "tests" and (found := obstacles(cell.source)):
            reasons = "; ".join(f"{each.reason} (line {each.line} of the test)" for each in found)
            yield _finding(exercises, cell.line, cell.grade_id, reasons, strict=strict)


def forgeable_by_trial(
    exercises: SourceNotebook, trusts: Mapping[str, Trust], *, strict: bool
) -> Iterator[Finding]:
    """Yield the tests that pass beside the reference solution and not apart from it; E014 is for others.

    Args:
        exercises: The notebook.
        trusts: By grade id, what the trial said.
        strict: Whether its module refuses such tests.
    """
    for cell in exercises.cells:
        trust = trusts.get(cell.grade_id)
        if trust is None or trust.fails or obstacles(cell.source):
            continue
        if trust.trust == "kernel":
            yield _finding(exercises, cell.line, cell.grade_id, trust.reason, strict=strict)


def forgeable_tests(built: NotebookNode) -> Iterator[str]:
    """Yield as "test: reason" the tests of a built notebook that can be forged by what their text says."""
    for cell in built.cells:
        if cell.cell_type == "code" and is_grade(cell) and not is_solution(cell):
            for each in obstacles(cell.source):
                yield f"{cell.metadata.nbgrader.grade_id}: {each.reason} (line {each.line} of the test)"


def _finding(exercises: SourceNotebook, line: int, test: str, reason: str, *, strict: bool) -> Finding:
    return Finding(
        exercises.path, line, "E018" if strict else "W001", f"{test} runs beside learner code: {reason}"
    )
