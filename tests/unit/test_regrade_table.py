"""Whom a regrade changes, on a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from graders.engine.outcome import CellOutcome, LearnerOutcome, Reason, Regrade
from graders.engine.standing import Points
from hub_config.cli.regrading import show_regrade

pytestmark = pytest.mark.quick

LONG = "it should be a list with as many squares as the number that the function was given, from one on"


def cell(name: str, before: float, after: float, reason: Reason, message: str = "") -> CellOutcome:
    given = [Points(points, None, None, 2, waits=False) for points in (before, after)]
    return CellOutcome("problem", name, given[0], given[1], 2, (reason,), message)


LEARNERS = (
    LearnerOutcome("ann", 3, 2, 4, 4, (cell("sum_of_squares_uses_squares", 2, 1, "text", LONG),)),
    LearnerOutcome("bob", 3, 3, 4, 4, (cell("small", 1, 2, "weight"), cell("large", 2, 1, "text"))),
    LearnerOutcome("cyd", 3, 3, 4, 4),
    LearnerOutcome("dan", 1, 1, 4, 4, problem="problem.ipynb cannot be read."),
)


def shown(width: int) -> list[str]:
    file = io.StringIO()
    show_regrade(Regrade("ps1", True, LEARNERS), Console(file=file, width=width))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_narrow_terminal_shows_every_name_and_reason_whole() -> None:
    lines = shown(80)
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert "ann 3 of 4 → 2 of 4 (-1) problem/sum_of_squares_uses_squares 2 → 1" in text
    assert text.count(" list ") == 1
    assert not any("…" in line for line in lines)


def test_a_total_that_stays_is_told_with_the_cells_that_do_not() -> None:
    lines = shown(120)
    place = lines.index("bob  3 of 4 → 3 of 4 (±0)")
    assert [line.split()[0] for line in lines[place + 1 : place + 3]] == ["problem/small", "problem/large"]
    assert "As before: cyd" in lines
    assert "1 lose, 0 gain, 2 keep their total, 1 could not be graded." in lines


def test_a_reason_without_end_is_cut() -> None:
    endless = LearnerOutcome("eve", 2, 1, 2, 2, (cell("small", 2, 1, "text", "x" * 300),))
    file = io.StringIO()
    show_regrade(Regrade("ps1", True, (endless,)), Console(file=file, width=200))
    assert file.getvalue().count("x") < 160
    assert "x…" in file.getvalue()
