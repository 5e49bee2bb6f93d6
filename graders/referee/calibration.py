"""Finds out, once for each version of an assignment, which tests a referee can judge.

The instructor's solution decides, never a submission: a test that passes beside the solution but not apart
from it needs the learner's own process, and one that passes only after the hidden parts of others needs a
process that has met those. What a test asks the solution's objects is kept, too: it may tell a learner's
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from math import inf

from nbformat import NotebookNode

from graders.execution.results import ExecutedNotebook, Judgement, RunLimits, TestCell, TestResult
from graders.execution.results import Trust as Where
from graders.execution.run import execute_notebook
from graders.execution.sequence import judge_in_sequence
from graders.execution.status import KERNEL_DIED, NOT_RUN, OUT_OF_TIME, InfrastructureFault, RunStatus
from graders.forkserver.parent import ForkClient
from graders.referee.analysis import names_of, obstacles
from graders.referee.helpers import helpers_of, names_looked_up
from graders.referee.observation import observe
from graders.referee.peer import NO_ANSWER
from graders.referee.process import PROCESS_LOST
from graders.referee.trial import REFEREE_DIED, InstructorSide, Observed, Referee

GOES_ON = "it depends on what hidden tests do, or on files of its moment: it ran in one process with them"
AFTER_OTHERS = "it goes on from a test that runs beside the learner's code: it ran in one process with that"
UNPROVEN = "the author's own solution gets nothing for it, so nobody can tell whether it could run elsewhere"
_OF_THE_MACHINE: frozenset[RunStatus] = frozenset({"time", "signal", "memory", "output", "infrastructure"})
_ERRORS_OF_THE_MACHINE = frozenset({OUT_OF_TIME, KERNEL_DIED, NOT_RUN, REFEREE_DIED, "MemoryError"})


@dataclass(frozen=True, slots=True)
class Trust:
    """Where a test is judged, and why not by the referee; picklable."""

    trust: Where
    reason: str = ""
    """Empty for a test of the referee's."""
    calls: frozenset[str] = frozenset()
    """What it asks the solution's objects."""
    gives_points: bool = False
    """Whether its result for the solution is a number, partial credit."""
    at_end: bool = False
    """Whether the solution's last state is to it the one at its place."""
    in_sequence: bool = False
    """Whether the solution passes it only when the hidden parts of the tests before it have run, too."""
    fails: bool = False
    """Whether the solution fails it, wherever it runs."""
    is_sure: bool = True
    """Whether nothing was stopped that might run on in a machine with less to do."""

    def placed(self, test: TestCell) -> TestCell:
        """Return a test that is judged as is said here."""
        return replace(test, trust=self.trust, at_end=self.at_end, in_sequence=self.in_sequence)


def instructor_side(source: NotebookNode, tests: Mapping[str, TestCell], files: bytes) -> InstructorSide:
    """Return what the tests of a notebook find that no learner made.

    Args:
        source: The instructor's notebook, with solutions.
        tests: Its tests, by grade id.
        files: A tar of what lies beside it.
    """
    cells = [cell for cell in source.cells if _is_code(cell) and _grade_id(cell) not in tests]
    names = names_of(cell.source for cell in cells)
    # The course kernel's own name: the learner's would say of itself whether a check holds.
    offered = {} if "spoc" in names.defined else {"spoc": "from course import checks as spoc"}
    # What a test imports stays imported, also where that test runs elsewhere than one after it.
    of_tests = names_of(test.full for test in tests.values()).imports
    unbound = {name: text for name, text in of_tests.items() if name not in names.defined}
    imports = {**offered, **unbound, **names.imports}
    # A notebook without marked answers has them anywhere.
    is_marked = any(_is_answer(cell) for cell in cells)
    given = [cell for cell in cells if _is_locked(cell) or (is_marked and not _is_answer(cell))]
    answers = [cell.source for cell in cells if not any(cell is each for each in given)]
    helpers = helpers_of((cell.source for cell in given), answers, imports)
    return InstructorSide(imports=imports, defined=names.defined, helpers=helpers, files=files)


def calibrated(side: InstructorSide, trust: Mapping[str, Trust]) -> InstructorSide:
    """Return `side` with what `calibrate` has found."""
    return replace(
        side,
        calls={key: found.calls for key, found in trust.items()},
        giving_points=frozenset(key for key, found in trust.items() if found.gives_points),
    )


def calibrate(
    source: NotebookNode, tests: Mapping[str, TestCell], files: bytes, warm: ForkClient, limits: RunLimits
) -> dict[str, Trust]:
    """Return for each test where it is to be judged.

    Args:
        source: The instructor's notebook, with solutions.
        tests: Its tests, by grade id.
        files: A tar of what lies beside it.
        warm: Where processes come from.
        limits: Of the run.

    Raises:
        InfrastructureFault: The platform failed, or lost the process of a solution that passes.
    """
    side = instructor_side(source, tests, files)
    stopped = _stopped(source, tests, side)
    apart = {key: replace(test, trust="referee") for key, test in tests.items() if key not in stopped}
    late = {key: replace(test, at_end=True) for key, test in apart.items()}
    # Who waits for one process has time for another.
    with ThreadPoolExecutor(1) as meanwhile:
        together = meanwhile.submit(_together, source, tests, files, warm, limits)
        first = observe(source, late, side, warm, limits, recording=True)
        asked = {key: seen.asked for key, seen in first.seen.items()}
        # Once more, with no more than what was asked: this is what learners' solutions will meet.
        second = observe(source, apart, replace(side, calls=asked), warm, limits, recording=False)
        beside, whole = together.result()
    has_hidden_parts = _has_hidden_parts(tests)
    for key, seen in (*first.seen.items(), *second.seen.items()):
        if whole[key].status == "ok" and _was_lost(seen.judgement):
            # Whatever ended it, that it can be judged nowhere else does not follow.
            raise InfrastructureFault(f"The process of the solution was lost while {key} was judged.")
    runs = (*first.runs, *second.runs, beside)
    is_sure = not any(map(_was_stopped, runs)) and _OF_THE_MACHINE.isdisjoint(
        result.status for result in whole.values()
    )
    outcomes = {
        key: _Outcome(
            stopped.get(key, ""), second.seen.get(key), beside.tests[key], whole[key], has_hidden_parts
        )
        for key in tests
    }
    found = {
        key: replace(
            _decided(outcomes[key]),
            calls=asked.get(key, frozenset()),
            at_end=key in apart and key not in first.unsteady,
            is_sure=is_sure,
        )
        for key in tests
    }
    run = partial(_run_as_placed, source, tests, side, warm=warm, limits=limits)
    return _as_placed(found, run, outcomes)


def _together(
    source: NotebookNode, tests: Mapping[str, TestCell], files: bytes, warm: ForkClient, limits: RunLimits
) -> tuple[ExecutedNotebook, Mapping[str, TestResult]]:
    """Run the tests beside the solution, with and without the hidden parts of those before."""
    beside = execute_notebook(source, tests, files, warm, limits, None)
    if not _has_hidden_parts(tests):
        return beside, beside.tests
    judgements = judge_in_sequence(source, tests, files, warm, limits).values()
    return beside, {each.result.grade_id: each.result for each in judgements}


def _has_hidden_parts(tests: Mapping[str, TestCell]) -> bool:
    return any(test.full != test.visible for test in tests.values())


def _stopped(source: NotebookNode, tests: Mapping[str, TestCell], side: InstructorSide) -> dict[str, str]:
    """Return why tests cannot be judged by a referee, as far as texts tell: by grade id."""
    cells = (cell.source for cell in source.cells if _is_code(cell) and _grade_id(cell) not in tests)
    looked_up = names_looked_up(cells) & side.defined
    found = {}
    for key, test in tests.items():
        if obstacle := obstacles(test.full, side.imports):
            found[key] = obstacle[0].reason
        elif anew := sorted(names_of([test.full]).defined & looked_up):
            found[key] = f"it defines {anew[0]} anew, which functions of the notebook look up"
    return found


def _as_placed(
    found: dict[str, Trust],
    run: Callable[[Mapping[str, Trust]], ExecutedNotebook],
    outcomes: Mapping[str, _Outcome],
) -> dict[str, Trust]:
    """Return a decision by which each test gives what it should while the others are judged by it, too.

    A test that runs beside the learner's code leaves nothing to those of the referee but its visible part.

    Args:
        found: What was decided while the referee judged all that it can.
        run: Runs the notebook by a decision.
        outcomes: By grade id.
    """
    while {trust.trust for trust in found.values()} == {"kernel", "referee"}:
        executed = run(found)
        if _was_stopped(executed):
            return {key: replace(trust, is_sure=False) for key, trust in found.items()}
        missing = [
            key
            for key, trust in found.items()
            if trust.trust == "referee"
            and not trust.fails
            and not _is_same(executed.tests[key], outcomes[key].wanted)
        ]
        if not missing:
            break
        found = {**found, **{key: _after_others(found[key], outcomes[key]) for key in missing}}
    return found


def _after_others(trust: Trust, of: _Outcome) -> Trust:
    in_sequence = _is_same(of.in_sequence, of.wanted)
    return replace(trust, trust="kernel", reason=AFTER_OTHERS, in_sequence=in_sequence)


def _is_same(one: TestResult, other: TestResult) -> bool:
    return (one.status, one.points) == (other.status, other.points)


def _run_as_placed(
    source: NotebookNode,
    tests: Mapping[str, TestCell],
    side: InstructorSide,
    trusts: Mapping[str, Trust],
    warm: ForkClient,
    limits: RunLimits,
) -> ExecutedNotebook:
    # What the others of the kernel give is known: they are run for what they leave.
    placed = {key: replace(trusts[key], in_sequence=False).placed(test) for key, test in tests.items()}
    judging = partial(Referee, warm, limits, calibrated(side, trusts))
    return execute_notebook(source, placed, side.files, warm, limits, judging)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the solution got for a test."""

    obstacle: str
    """Why no referee could be asked; empty if one was."""
    apart: Observed | None
    beside: TestResult
    in_sequence: TestResult
    has_hidden_parts: bool
    """Whether any test of the notebook has."""

    @property
    def needs_hidden_parts(self) -> bool:
        return _worth(self.in_sequence) > _worth(self.beside)

    @property
    def wanted(self) -> TestResult:
        return self.in_sequence if self.needs_hidden_parts else self.beside


def _decided(of: _Outcome) -> Trust:
    in_sequence, wanted = of.needs_hidden_parts, of.wanted
    fails = wanted.status != "ok"
    if fails or wanted.points == 0:
        # In many a course the author's notebook has no solution, and what stock nbgrader makes of a
        # learner's is all that there is. Where the machine was at fault, nothing follows.
        in_sequence = of.has_hidden_parts
        if not of.obstacle and wanted.status in _OF_THE_MACHINE:
            return Trust("referee", fails=True)
    if of.obstacle or fails or wanted.points == 0:
        return Trust("kernel", of.obstacle or UNPROVEN, in_sequence=in_sequence, fails=fails)
    if of.apart is not None:
        apart = of.apart.judgement.result
        if _is_same(apart, wanted):
            return Trust("referee", gives_points=apart.points is not None)
    if in_sequence:
        return Trust("kernel", GOES_ON, in_sequence=True)
    if of.apart is None:
        return Trust("kernel", "the notebook does not get as far as this test")
    return Trust("kernel", _reason(of.apart.judgement, of.beside))


def _worth(result: TestResult) -> float:
    if result.status != "ok":
        return -inf
    return inf if result.points is None else result.points


def _was_lost(judgement: Judgement) -> bool:
    return any(
        output.output_type == "error" and output.ename == PROCESS_LOST and output.evalue.startswith(NO_ANSWER)
        for output in judgement.outputs
    )


def _was_stopped(run: ExecutedNotebook) -> bool:
    """Return whether a run was kept from its end, or a cell of it."""
    statuses = {run.status, *(result.status for result in run.tests.values())}
    outputs = (output for cell in run.graded.cells for output in cell.get("outputs", ()))
    return not _OF_THE_MACHINE.isdisjoint(statuses) or any(
        output.output_type == "error" and output.ename in _ERRORS_OF_THE_MACHINE for output in outputs
    )


def _reason(apart: Judgement, beside: TestResult) -> str:
    error = next((output for output in apart.outputs if output.output_type == "error"), None)
    if error is not None:
        return f"apart from the learner's code it ends with {error.ename}: {error.evalue}"[:300]
    if apart.result.status == "ok":
        one, other = _points(apart.result), _points(beside)
        return f"apart from the learner's code it gives {one} points, and beside it {other}"
    return f"apart from the learner's code it fails: {apart.result.message or 'it writes to stderr'}"


def _points(result: TestResult) -> str:
    return "all" if result.points is None else f"{result.points:g}"


def _is_code(cell: NotebookNode) -> bool:
    return bool(cell.cell_type == "code")


def _is_answer(cell: NotebookNode) -> bool:
    # By its mark, or by that of what learners do not get.
    return bool(cell.metadata.get("nbgrader", {}).get("solution")) or "BEGIN SOLUTION" in cell.source


def _is_locked(cell: NotebookNode) -> bool:
    marks = cell.metadata.get("nbgrader", {})
    return bool(marks.get("locked")) and not marks.get("solution")


def _grade_id(cell: NotebookNode) -> object:
    return cell.metadata.get("nbgrader", {}).get("grade_id")
