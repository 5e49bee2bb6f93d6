"""What grading again by changed tests does to whom: points before and after, and which test is the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution, is_task

from graders.engine.standing import Place, Points, Standing

Reason = Literal["added", "removed", "text", "weight", "answer", "setup", "result"]
"""Why a cell may have other points: its test is new, is gone, says something else, gives other points; what
was submitted is newer than what was graded; another cell of the author's in the notebook was changed; or
nothing was, and the same test has another result."""
Verdict = Literal["loses", "gains", "stays", "new", "failed"]
_MAX_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class CellOutcome:
    """A graded cell before and after; None where it was not there, or is no more."""

    notebook: str
    cell: str
    before: Points | None
    after: Points | None
    max_before: float | None = None
    """What it gave when it was graded last: the gradebook may know a newer weight."""
    reasons: tuple[Reason, ...] = ()
    message: str = ""
    """The first thing that fails in its test now, if that may be why; else empty."""


@dataclass(frozen=True, slots=True)
class LearnerOutcome:
    """A submission before and after; `before` is None if it was never graded."""

    student: str
    before: float | None
    after: float
    max_before: float
    max_after: float
    cells: tuple[CellOutcome, ...] = ()
    problem: str = ""
    """Why it could not be graded; empty if it was."""

    @property
    def difference(self) -> float:
        return round(self.after - (self.before or 0.0), 6)

    @property
    def verdict(self) -> Verdict:
        if self.problem:
            return "failed"
        if self.before is None:
            return "new"
        if not self.difference:
            return "stays"
        return "gains" if self.difference > 0 else "loses"


@dataclass(frozen=True, slots=True)
class Regrade:
    """What a regrade did, or would do; learners by what it does to them, who loses most first."""

    assignment: str
    is_rehearsal: bool
    learners: tuple[LearnerOutcome, ...]
    feedback_renewed: tuple[str, ...] = ()
    """Whose feedback was written again, where learners get any from here."""

    @property
    def exit_code(self) -> int:
        return int(any(each.problem for each in self.learners))


def compare(
    student: str,
    before: Standing | None,
    after: Standing,
    was: Mapping[str, NotebookNode],
    now: Mapping[str, NotebookNode],
    problem: str = "",
) -> LearnerOutcome:
    """Return what changes for a learner.

    Args:
        student: Who.
        before: What the gradebook had; None if the submission was never graded.
        after: What it has.
        was: By name, the trainer's notebooks as they were graded last.
        now: As they are graded now.
        problem: Why they are not.
    """
    places = dict.fromkeys([*(before.cells if before else ()), *after.cells])
    outcomes = [_cell(place, before, after, was, now) for place in places]
    is_new = before is None or not was
    maximum = sum(each.max_before or 0.0 for each in outcomes) if before else after.maximum
    return LearnerOutcome(
        student=student,
        before=None if is_new or before is None else before.total,
        after=after.total,
        max_before=maximum,
        max_after=after.maximum,
        cells=tuple(sorted(outcomes, key=lambda each: _position(each, was, now))),
        problem=problem,
    )


def _cell(
    place: Place,
    before: Standing | None,
    after: Standing,
    was: Mapping[str, NotebookNode],
    now: Mapping[str, NotebookNode],
) -> CellOutcome:
    notebook, name = place
    earlier, later = (before.cells.get(place) if before else None), after.cells.get(place)
    reasons = tuple(_reasons(name, earlier, later, was.get(notebook), now.get(notebook)))
    cell = _named(now.get(notebook)).get(name)
    message = _first_failure(cell) if reasons else ""
    return CellOutcome(notebook, name, earlier, later, _weight(place, earlier, was), reasons, message)


def _reasons(
    name: str,
    before: Points | None,
    after: Points | None,
    was: NotebookNode | None,
    now: NotebookNode | None,
) -> Iterator[Reason]:
    if after is None:
        yield "removed"
    if was is None or now is None or after is None:
        return
    old, new = _named(was).get(name), _named(now).get(name)
    if old is None or new is None:
        yield "added"
        return
    is_others = not is_solution(new)
    if is_others and old.source.strip() != new.source.strip():
        yield "text"
    if _points(old) != _points(new):
        yield "weight"
    same_test = not is_others or old.source.strip() == new.source.strip()
    if same_test and before is not None and before.automatic != after.automatic:
        yield from _elsewhere(was, now, is_reweighted=_points(old) != _points(new), points=(before, after))


def _elsewhere(
    was: NotebookNode, now: NotebookNode, *, is_reweighted: bool, points: tuple[Points, Points]
) -> Iterator[Reason]:
    """Yield why a test that says the same has another result."""
    if is_reweighted and _passes_alike(*points):
        return
    if _answers(was) != _answers(now):
        yield "answer"
    elif _setup(was) != _setup(now):
        yield "setup"
    elif not is_reweighted:
        yield "result"


def _passes_alike(before: Points, after: Points) -> bool:
    return bool(before.automatic) == bool(after.automatic)


def _answers(notebook: NotebookNode) -> list[str]:
    return [cell.source.strip() for cell in notebook.cells if not _is_authors(cell)]


def _setup(notebook: NotebookNode) -> list[str]:
    return [
        cell.source.strip()
        for cell in notebook.cells
        if _is_authors(cell) and not (is_grade(cell) or is_task(cell))
    ]


def still_settled(was: NotebookNode, now: NotebookNode) -> frozenset[str]:
    """Return the cells whose marks by hand need no second look: test, weight and work are the same.

    Args:
        was: The trainer's notebook as it was graded last.
        now: As it is graded now.
    """
    old = _named(was)
    same_work = _answers(was) == _answers(now)
    return frozenset(
        name
        for name, cell in _named(now).items()
        if name in old
        and old[name].source.strip() == cell.source.strip()
        and _points(old[name]) == _points(cell)
        and (same_work or is_solution(cell))
    )


def _is_authors(cell: NotebookNode) -> bool:
    given = cell.metadata.get("nbgrader", {})
    return not is_solution(cell) and any(given.get(flag) for flag in ("grade", "locked", "task"))


def _named(notebook: NotebookNode | None) -> dict[str, NotebookNode]:
    if notebook is None:
        return {}
    graded = (cell for cell in notebook.cells if is_grade(cell) or is_task(cell))
    return {str(cell.metadata.nbgrader.get("grade_id")): cell for cell in graded}


def _points(cell: NotebookNode) -> float:
    return float(cell.metadata.nbgrader.get("points") or 0.0)


def _weight(place: Place, before: Points | None, was: Mapping[str, NotebookNode]) -> float | None:
    notebook, name = place
    if notebook in was:
        cell = _named(was[notebook]).get(name)
        return None if cell is None else _points(cell)
    return None if before is None else before.maximum


def _position(
    outcome: CellOutcome, was: Mapping[str, NotebookNode], now: Mapping[str, NotebookNode]
) -> tuple[str, int]:
    order = [*_named(now.get(outcome.notebook)), *_named(was.get(outcome.notebook))]
    return outcome.notebook, order.index(outcome.cell) if outcome.cell in order else len(order)


def _first_failure(cell: NotebookNode | None) -> str:
    for output in cell.get("outputs", ()) if cell is not None else ():
        if output.output_type == "error":
            text = str(output.evalue)[:_MAX_MESSAGE].strip().partition("\n")[0]
            said = f"{output.ename}: {text}" if text else str(output.ename)
            return "".join(filter(str.isprintable, said))[:_MAX_MESSAGE]
    return ""
