"""Proves a module as it will be graded: the solution has to pass, the empty stub to fail, the lesson to work.

Tests run where the grading engine runs them, apart from the code that they test if that can be, and once more
beside it, as by nbgrader's own commands. What learners see of a test runs as well: it has to stand alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nbgrader.preprocessors import ClearSolutions

from course.lint import Finding
from graders.authoring.bench import Bench, Failures, Run, data_tar
from graders.authoring.forgeable import forgeable_by_trial
from graders.authoring.source import SourceNotebook
from graders.forkserver.client import ForkClient

_RUNS_AT_ONCE = 3


def prove_module(
    lesson: SourceNotebook, exercises: SourceNotebook, data_dir: Path, warm: ForkClient, *, strict: bool
) -> tuple[Finding, ...]:
    """Run lesson, solutions and stub; both notebooks must be without findings.

    Args:
        lesson: The notebook without tests.
        exercises: The notebook with tests.
        data_dir: What the notebooks find as `data/`; may be missing.
        warm: Where processes come from, see `graders.authoring.bench.warm_for`.
        strict: Whether the module refuses tests that can be forged.

    Raises:
        CourseError: The platform could not run them.
    """
    files = data_tar(data_dir)
    bench, solved = Bench(exercises, files, warm), exercises.built()
    stub, _ = ClearSolutions().preprocess(exercises.built(), {})
    with ThreadPoolExecutor(_RUNS_AT_ONCE) as at_once:
        in_lesson = at_once.submit(Bench(lesson, files, warm).run, lesson.built())
        beside, stub_beside = at_once.submit(bench.run, solved), at_once.submit(bench.run, stub)
        trusts = bench.trusts()
        apart, stub_apart = at_once.submit(bench.run, solved, trusts), bench.run(stub, trusts)
        solution, stubs = (beside.result(), apart.result()), (stub_beside.result(), stub_apart)
    failures = _all_failures(solution)
    return (
        *_failures(lesson, "E016", in_lesson.result().failures),
        *_failures(exercises, "E014", {**_lost(solution), **failures}),
        *_failures(exercises, "E017", _only_visible(solution, failures)),
        *_passing_stubs(exercises, stubs),
        *_failures(exercises, "E017", dict(_broken_stubs(exercises, _all_failures(stubs)))),
        *forgeable_by_trial(exercises, trusts, strict=strict),
    )


Runs = tuple[Run, Run]
"""Of one notebook: tests beside the code that they test, and where they are judged."""


def _all_failures(runs: Runs) -> dict[int, str]:
    beside, apart = runs
    return {**apart.failures, **beside.failures}


def _only_visible(solution: Runs, failures: Failures) -> dict[int, str]:
    """Return the failures of what learners see of cells that do not fail with their hidden part."""
    _, apart = solution
    return {index: reason for index, reason in apart.seen_failures.items() if index not in failures}


def _lost(solution: Runs) -> dict[int, str]:
    """Return the tests that give the solution too few points or too many."""
    lost = {}
    for run in solution:
        for index, (earned, full) in run.points.items():
            if earned > full:
                lost[index] = f"it gives more than its {full:g} points"
            elif earned < full:
                lost.setdefault(index, f"the solution gets {earned:g} of {full:g} points")
    return lost


def _failures(source: SourceNotebook, code: str, failures: Failures) -> Iterator[Finding]:
    for index, reason in sorted(failures.items()):
        cell = source.cells[index]
        if cell.cell_type == "code":
            name = f"{cell.grade_id}: " if cell.grade_id else ""
            yield Finding(source.path, cell.line, code, f"{name}{reason}")


def _passing_stubs(source: SourceNotebook, stubs: Runs) -> Iterator[Finding]:
    for index, cell in enumerate(source.cells):
        earned, full = max(run.points.get(index, (0.0, 0.0)) for run in stubs)
        if earned > 0:
            what = "passes" if earned >= full else f"gives {earned:g} of {full:g} points"
            yield Finding(source.path, cell.line, "E015", f"{cell.grade_id} {what} with nothing written")


def _broken_stubs(source: SourceNotebook, failures: Failures) -> Iterator[tuple[int, str]]:
    """Yield solution cells that are no Python without their region, which no learner could run."""
    for index, reason in failures.items():
        if source.cells[index].kind == "solution" and reason.startswith(("SyntaxError", "IndentationError")):
            yield index, f"the stub is no Python: {reason}"
