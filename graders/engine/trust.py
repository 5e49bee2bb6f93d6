"""Decides where the tests of an assignment are judged: by the author's solution, never by a submission.

The decision is kept in `.grading/trust/` of the course directory, under a name that changes with everything
it depends on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Literal
from uuid import uuid4

import nbformat

from course.errors import NotAllowed
from graders.engine.own_files import tests_of_own_files
from graders.engine.owner import as_owner
from graders.engine.placement import WORK_FOLDER
from graders.engine.plan import AssignmentPlan, PlannedNotebook
from graders.execution.status import InfrastructureFault
from graders.forkserver.client import ForkClient
from graders.forkserver.environment import WarmEnvironment
from graders.referee.analysis import obstacles
from graders.referee.calibration import Trust, calibrate, calibrated, instructor_side
from graders.referee.strictness import is_strict
from graders.referee.trial import InstructorSide

TrustMode = Literal["auto", "referee", "kernel"]
"""Apart from learner code: where the author's solution passes there, always, never."""

BY_CHOICE = "all tests were run in the learner's kernel, by choice"
_IN_KERNEL = Trust("kernel", "--trust kernel was asked for")
_NO_SOLUTION = "the source folder has no notebook of the author's that could tell where it can run"
_OWN_FILE = "it uses {}, of which the learner's own version counts (Autograde.exclude_overwriting)"
_VERSION = 9
"""Of what is kept; to be raised when the referee can judge more."""
_TRIES = 3

Trusts = Mapping[str, Trust]


def trusted(
    plan: AssignmentPlan, mode: TrustMode, environment: WarmEnvironment, warm: ForkClient, course_dir: Path
) -> AssignmentPlan:
    """Return the plan with the place at which each test is judged.

    Args:
        plan: As it was read.
        mode: What is asked for.
        environment: Of `warm`; another one may judge otherwise.
        warm: Where the author's solution is run.
        course_dir: Where decisions are kept.

    Raises:
        InfrastructureFault: The platform failed to run the author's solution.
        NotAllowed: The author wants no test that can be forged, and one would be.
    """
    if mode == "kernel":
        for each in plan.notebooks.values():
            _refuse_forgeable(plan, each, dict.fromkeys(each.tests, _IN_KERNEL))
        everywhere = {name: _all_in_kernel(each) for name, each in plan.notebooks.items()}
        return replace(plan, notebooks=everywhere)
    deciding = _Deciding(plan, environment, warm, TrustFolder(course_dir))
    notebooks = {}
    for name, notebook in plan.notebooks.items():
        trusts = deciding.trusts(notebook)
        if mode == "referee":
            trusts = {test: replace(trust, trust="referee") for test, trust in trusts.items()}
        _refuse_forgeable(plan, notebook, trusts)
        notebooks[name] = _decided(notebook, trusts, deciding.files)
    return replace(plan, notebooks=notebooks)


class TrustFolder:
    """Decisions that were made before."""

    def __init__(self, course_dir: Path) -> None:
        self._course_dir = course_dir

    def find(self, key: str) -> dict[str, Trust] | None:
        """Return the decision of that name; None if there is none, or none that can be read."""
        kept = as_owner(self._course_dir, lambda root: _read(_path(root, key)))
        try:
            return {
                test: Trust(**{**each, "calls": frozenset(each["calls"])})
                for test, each in json.loads(kept).items()
            }
        except (ValueError, TypeError, LookupError, AttributeError):
            return None

    def keep(self, key: str, trusts: Trusts) -> None:
        listed = {test: {**asdict(each), "calls": sorted(each.calls)} for test, each in trusts.items()}
        as_owner(self._course_dir, lambda root: _write(_path(root, key), json.dumps(listed)))


class _Deciding:
    """One assignment's decision."""

    def __init__(
        self, plan: AssignmentPlan, environment: WarmEnvironment, warm: ForkClient, kept: TrustFolder
    ) -> None:
        self.files = plan.tar_for_author()
        self._plan = plan
        self._limits = plan.limits
        self._environment = environment
        self._warm = warm
        self._kept = kept

    def trusts(self, notebook: PlannedNotebook) -> Trusts:
        own = tests_of_own_files(notebook, self._plan.files, self._plan.left_alone)
        found = self._found(notebook)
        beside = {
            test: replace(found[test], trust="kernel", reason=_OWN_FILE.format(file))
            for test, file in own.items()
        }
        return {**found, **beside}

    def _found(self, notebook: PlannedNotebook) -> Trusts:
        if notebook.kernel:
            reason = f"it runs in the kernel {notebook.kernel}, which no referee can look into"
            return dict.fromkeys(notebook.tests, Trust("kernel", reason))
        if not notebook.solved:
            in_sequence = _has_hidden_parts(notebook)
            return {name: _by_text(test.full, in_sequence) for name, test in notebook.tests.items()}
        key = self._key(notebook)
        found = self._kept.find(key)
        if found is None or found.keys() != notebook.tests.keys():
            found = self._calibrated(notebook)
            if all(each.is_sure for each in found.values()):
                self._kept.keep(key, found)
        return found

    def _calibrated(self, notebook: PlannedNotebook) -> dict[str, Trust]:
        solved = nbformat.reads(notebook.solved, as_version=4)
        run = partial(calibrate, solved, notebook.tests, self.files, self._warm, self._limits)
        for _ in range(_TRIES - 1):
            try:
                found = run()
            except InfrastructureFault:
                continue
            if all(each.is_sure for each in found.values()):
                return found
        return run()

    def _key(self, notebook: PlannedNotebook) -> str:
        parts = [
            _VERSION,
            notebook.solved,
            {name: test.full for name, test in notebook.tests.items()},
            hashlib.sha256(self.files).hexdigest(),
            [self._environment.extensions, sorted(self._environment.fingerprint())],
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _by_text(test: str, in_sequence: bool) -> Trust:
    found = obstacles(test)
    return Trust("kernel", found[0].reason if found else _NO_SOLUTION, in_sequence=in_sequence)


def _decided(notebook: PlannedNotebook, trusts: Trusts, files: bytes) -> PlannedNotebook:
    side = InstructorSide(files=files)
    if notebook.solved:
        side = instructor_side(nbformat.reads(notebook.solved, as_version=4), notebook.tests, files)
        side = calibrated(side, trusts)
    return replace(
        notebook,
        tests={name: trusts[name].placed(test) for name, test in notebook.tests.items()},
        forgeable={name: each.reason for name, each in trusts.items() if each.trust == "kernel"},
        failing=frozenset(name for name, each in trusts.items() if each.fails),
        instructor=side,
    )


def _refuse_forgeable(plan: AssignmentPlan, notebook: PlannedNotebook, trusts: Trusts) -> None:
    """Raise `NotAllowed` for a strict notebook with a test that would run beside learners' code."""
    forgeable = [f"  - {test}: {each.reason}" for test, each in trusts.items() if each.trust == "kernel"]
    if forgeable and notebook.solved and is_strict(nbformat.reads(notebook.solved, as_version=4)):
        raise NotAllowed(
            "\n".join(
                [
                    f"{plan.assignment!r} is not graded: {notebook.name}.ipynb has `referee: strict`,"
                    " and these tests could be forged by the code that they test:",
                    *forgeable,
                ]
            ),
            "Change the tests, or take `referee: strict` out of module.yaml and build and release again."
            ' (Without a module: take "referee": "strict" out of the notebook\'s metadata.)',
        )


def _all_in_kernel(notebook: PlannedNotebook) -> PlannedNotebook:
    # As in nbgrader's one kernel: no solution tells here whether a test needs what hidden ones have done.
    in_sequence = _has_hidden_parts(notebook)
    tests = {
        name: replace(test, trust="kernel", in_sequence=in_sequence) for name, test in notebook.tests.items()
    }
    return replace(notebook, tests=tests, forgeable=dict.fromkeys(tests, BY_CHOICE))


def _has_hidden_parts(notebook: PlannedNotebook) -> bool:
    return any(test.full != test.visible for test in notebook.tests.values())


def _path(root: Path, key: str) -> Path:
    return root / WORK_FOLDER / "trust" / f"{key}.json"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _write(path: Path, text: str) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Commands that start together decide together: each writes a file of its own. Its path stays relative:
    # who owns the course directory may not go all the way to it.
    incoming = path.with_name(f"{uuid4().hex}.incoming")
    incoming.touch(mode=0o600, exist_ok=False)
    incoming.write_text(text, encoding="utf-8")
    incoming.replace(path)
    return b""
