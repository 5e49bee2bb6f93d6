"""What a regrade did, or would do: as JSON can say it, and as words for its reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from graders.engine.outcome import CellOutcome, LearnerOutcome, Reason, Regrade, Verdict
from graders.engine.standing import Points

_WORDS: Mapping[Reason, str] = {
    "added": "new test",
    "removed": "its test is gone",
    "text": "its test was changed",
    "weight": "it gives other points",
    "answer": "a newer submission",
    "setup": "another cell of the author's was changed",
    "result": "the same test with another result",
}
_OF_TESTS: tuple[Reason, ...] = ("added", "removed", "text", "weight")


@dataclass(frozen=True, slots=True)
class TestChange:
    """A test that is not what somebody was graded by last."""

    notebook: str
    cell: str
    reasons: tuple[Reason, ...]
    max_before: float | None
    max_after: float | None
    learners: int
    """For how many it is not."""


def changed_tests(regrade: Regrade) -> tuple[TestChange, ...]:
    """Return the tests that changed, in the order of the notebooks."""
    found: dict[tuple[str, str], list[CellOutcome]] = {}
    for learner in regrade.learners:
        for cell in learner.cells:
            if set(cell.reasons) & set(_OF_TESTS):
                found.setdefault((cell.notebook, cell.cell), []).append(cell)
    return tuple(
        TestChange(
            notebook,
            name,
            tuple(reason for reason in _OF_TESTS if any(reason in each.reasons for each in cells)),
            next((each.max_before for each in cells if each.max_before is not None), None),
            next((each.after.maximum for each in cells if each.after), None),
            len(cells),
        )
        for (notebook, name), cells in found.items()
    )


def verdicts(regrade: Regrade) -> dict[Verdict, int]:
    """Return how many lose, gain, stay, are graded for the first time and cannot be graded."""
    return dict(Counter(each.verdict for each in regrade.learners))


def why(cell: CellOutcome) -> str:
    """Return why a cell has other points, in words; with the first thing that fails in it now."""
    reasons = ", ".join(_WORDS[reason] for reason in cell.reasons if reason in _WORDS)
    by_hand = "marked by hand" if cell.after and cell.after.manual is not None else ""
    return "; ".join(filter(None, (reasons, by_hand, cell.message)))


def reasons_in_words(change: TestChange) -> str:
    """Return what became of a test, in words."""
    return ", ".join(_WORDS[reason] for reason in change.reasons)


def as_document(regrade: Regrade) -> dict[str, Any]:
    """Return a regrade as JSON can say it."""
    return {
        "assignment": regrade.assignment,
        "dry_run": regrade.is_rehearsal,
        "exit_code": regrade.exit_code,
        "learners": [_learner(each) for each in regrade.learners],
        "tests": [asdict(each) for each in changed_tests(regrade)],
        "verdicts": verdicts(regrade),
        "feedback_renewed": list(regrade.feedback_renewed),
    }


def _learner(learner: LearnerOutcome) -> dict[str, Any]:
    return {
        "student": learner.student,
        "verdict": learner.verdict,
        "before": learner.before,
        "after": learner.after,
        "difference": learner.difference,
        "max_before": learner.max_before,
        "max_after": learner.max_after,
        "problem": learner.problem,
        "cells": [_cell(each) for each in learner.cells],
    }


def _cell(cell: CellOutcome) -> dict[str, Any]:
    return {
        "notebook": cell.notebook,
        "cell": cell.cell,
        "before": _points(cell.before),
        "after": _points(cell.after),
        "max_before": cell.max_before,
        "reasons": list(cell.reasons),
        "message": cell.message,
    }


def _points(points: Points | None) -> dict[str, Any] | None:
    return None if points is None else {"points": points.counted, **asdict(points)}
