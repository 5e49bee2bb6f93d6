"""What grading gets through: code that never ends or takes all there is, and files that are no submission.

Two batches, one of hostile code and one of hostile files. What an attacker has answered before the attack
counts; the neighbours lose nothing, and the command ends in time.
"""

from __future__ import annotations

import pytest

from tests.attacks.attack import FULL, Attack
from tests.attacks.grading_course import NEIGHBOURS, Graded, former_rows, grade
from tests.attacks.hostile_code import HOSTILE_CODE
from tests.attacks.hostile_files import HOSTILE_FILES

SHORT = "c.ExecutePreprocessor.timeout = 2\n"


@pytest.fixture(scope="module")
def graded_code(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    return grade(HOSTILE_CODE, tmp_path_factory.mktemp("hostile-code"), SHORT)


@pytest.fixture(scope="module")
def graded_files(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    return grade(HOSTILE_FILES, tmp_path_factory.mktemp("hostile-files"), SHORT)


@pytest.mark.parametrize("attack", HOSTILE_CODE, ids=lambda attack: attack.name)
def test_hostile_code_costs_its_author_what_comes_after(graded_code: Graded, attack: Attack) -> None:
    assert graded_code.scores_of(attack) == attack.scores
    assert not graded_code.line_of(attack.student)["problem"]
    notebook = graded_code.folder_of(attack.student) / "work.ipynb"
    assert notebook.stat().st_size < 8_000_000


@pytest.mark.parametrize("attack", HOSTILE_FILES, ids=lambda attack: attack.name)
def test_hostile_files_are_left_out_and_named(graded_files: Graded, attack: Attack) -> None:
    line = graded_files.line_of(attack.student)
    assert bool(line["problem"]) == attack.refused
    if not attack.refused:
        assert graded_files.scores_of(attack) == attack.scores
    else:
        assert not any(graded_files.scores_of(attack).values())
    if attack.name.startswith("beside-") and attack.name != "beside-bomb":
        assert [remark for remark in line["remarks"] if remark["kind"] == "files"]


def test_no_link_is_followed_to_what_it_shows(graded_files: Graded) -> None:
    left = graded_files.place.folder / "autograded"
    assert [
        path for path in left.rglob("*") if path.is_symlink() or not (path.is_file() or path.is_dir())
    ] == []
    assert not any(
        b"SQLite format" in path.read_bytes()[:64] for path in left.rglob("data*") if path.is_file()
    )


@pytest.mark.parametrize("batch", ["graded_code", "graded_files"])
def test_the_neighbours_get_their_marks(batch: str, request: pytest.FixtureRequest) -> None:
    graded: Graded = request.getfixturevalue(batch)
    for student in NEIGHBOURS:
        assert graded.scores[student] == {**FULL, "explain": None}
        assert not graded.line_of(student)["problem"]


@pytest.mark.parametrize("batch", ["graded_code", "graded_files"])
def test_nothing_else_has_changed_and_nothing_is_left_running(
    batch: str, request: pytest.FixtureRequest
) -> None:
    graded: Graded = request.getfixturevalue(batch)
    assert graded.changed == []
    assert graded.left_running == frozenset()
    former = former_rows(graded.place.folder)
    assert {row.manual_score for row in former.values() if hasattr(row, "manual_score")} == {1.5}
