"""What grading lets nobody change: marks, sources, other people's work, what is run, what it is worth.

All attackers of this page are graded in one batch. Those with a wrong solution get nothing, those with a good
one get full marks, whatever else they do. Scores that are forged inside a cell: test_forged_scores.py.
"""

from __future__ import annotations

import pytest

from tests.attacks.attack import FULL, Attack
from tests.attacks.changes import CHANGES, WRITES
from tests.attacks.grading_course import NEIGHBOURS, Graded, former_rows, grade


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    return grade((*WRITES, *CHANGES), tmp_path_factory.mktemp("integrity"))


@pytest.mark.parametrize("attack", WRITES, ids=lambda attack: attack.name)
def test_a_writer_gets_nothing_but_own_marks(graded: Graded, attack: Attack) -> None:
    assert graded.scores_of(attack) == attack.scores
    assert not graded.line_of(attack.student)["problem"]


@pytest.mark.parametrize("attack", CHANGES, ids=lambda attack: attack.name)
def test_a_changed_notebook_gets_what_its_answers_deserve(graded: Graded, attack: Attack) -> None:
    assert graded.scores_of(attack) == attack.scores


def test_an_unmarked_test_is_worth_what_its_author_says(graded: Graded) -> None:
    maxima = {line["max_points"] for line in graded.report["submissions"]}
    assert maxima == {2 + 3 + 1 + 4}


@pytest.mark.parametrize("student", NEIGHBOURS)
def test_the_neighbours_get_their_marks(graded: Graded, student: str) -> None:
    assert graded.scores[student] == {**FULL, "explain": None}
    assert not graded.line_of(student)["problem"]


def test_nothing_else_has_changed(graded: Graded) -> None:
    assert graded.changed == []
    assert graded.left_running == frozenset()
    assert sorted(graded.scores) == sorted([*NEIGHBOURS, *(each.student for each in (*WRITES, *CHANGES))])
    former = former_rows(graded.place.folder)
    assert {row.manual_score for row in former.values() if hasattr(row, "manual_score")} == {1.5}
