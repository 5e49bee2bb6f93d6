"""Where the engine deliberately leaves something else than `nbgrader autograde`: each difference by name."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from graders.execution.status import OUT_OF_TIME
from tests.equality.conftest import GradedCourse
from tests.equality.rows import (
    FORGEABLE,
    Comment,
    Grade,
    autograded_files,
    cells_of,
    gradebook_rows,
)

# The first test waits until both have graded everything.
pytestmark = pytest.mark.timeout(900)

Graded = Mapping[str, GradedCourse]


def _scores(graded: GradedCourse, who: str, assignment: str, cell: str) -> dict[str, float | None]:
    """Return by learner the automatic score that `who` gave a cell; a learner without a row is left out."""
    rows = gradebook_rows(graded.engine if who == "engine" else graded.stock)
    return {
        place[1]: row.auto_score
        for (_, place), row in rows.items()
        if isinstance(row, Grade) and place[0] == assignment and place[3] == cell
    }


def test_points_above_the_maximum_are_the_maximum_where_stock_discards_the_submission(graded: Graded) -> None:
    faults = graded["faults"]
    assert _scores(faults, "stock", "above-maximum", "count") == {"ann": None, "bob": 1}
    assert _scores(faults, "engine", "above-maximum", "count") == {"ann": 3, "bob": 1}
    assert _scores(faults, "engine", "above-maximum", "kind") == {"ann": 1, "bob": 1}
    assert faults.stock_run.exit_codes["above-maximum"] == 1
    assert faults.engine_exit_codes["above-maximum"] == 0


def test_a_result_that_is_no_number_gives_nothing_where_stock_gives_full_points(graded: Graded) -> None:
    assert _scores(graded["faults"], "stock", "not-a-number", "ratio") == {"ann": 0.5, "bob": 1, "cyd": 0.25}
    assert _scores(graded["faults"], "engine", "not-a-number", "ratio") == {"ann": 0.5, "bob": 0, "cyd": 0.25}


def test_points_that_stock_cannot_read_are_the_number_that_they_say(graded: Graded) -> None:
    """`np.float64(0.25)` is no number to stock, so that a learner who uses numpy gets everything for it."""
    assert _scores(graded["faults"], "stock", "not-a-number", "bare") == {"ann": 0.5, "bob": 1, "cyd": 1}
    assert _scores(graded["faults"], "engine", "not-a-number", "bare") == {"ann": 0.5, "bob": 0, "cyd": 0.25}


def test_a_wrong_schema_version_costs_nobody_anything_where_stock_stops_the_batch(graded: Graded) -> None:
    assert _scores(graded["faults"], "stock", "metadata", "a-tests") == {"ann": None}
    assert _scores(graded["faults"], "engine", "metadata", "a-tests") == {"ann": 2, "bob": 2, "cyd": 2}


def test_lost_duplicated_and_retyped_cells_keep_their_points_where_stock_stops_the_batch(
    graded: Graded,
) -> None:
    everybody = dict.fromkeys(("ann", "bob", "cyd", "dee", "eli", "fay"), 2.0)
    assert _scores(graded["faults"], "stock", "lost-cells", "a-tests") == {"ann": None, "bob": None}
    assert _scores(graded["faults"], "engine", "lost-cells", "a-tests") == {**everybody, "cyd": 0}


def test_learner_code_does_not_meet_what_hidden_tests_define(graded: Graded) -> None:
    def shown(folder: str) -> str:
        graded_course = graded["faults"]
        path = getattr(graded_course, folder) / "autograded" / "ann" / "hidden-names" / "work.ipynb"
        return str(cells_of(path)[-1]["outputs"][0]["text"])

    assert shown("stock") == "2 True\n"
    assert shown("engine") == "1 False\n"


def test_a_cell_that_ran_too_long_says_so_where_stock_says_that_a_kernel_did_not_reply(
    graded: Graded,
) -> None:
    def shown(folder: str) -> str:
        path = getattr(graded["policies"], folder) / "autograded" / "ann" / "time-limit" / "work.ipynb"
        return str(cells_of(path)[2]["outputs"][-1]["ename"])

    assert shown("stock") == "CellTimeoutError"
    assert shown("engine") == OUT_OF_TIME


def test_what_learner_code_wrote_is_not_left_beside_the_result(graded: Graded) -> None:
    written = {"ann/files/summary.txt", "ann/files/out/names.json"}
    assert written <= autograded_files(graded["code"].stock).keys()
    assert not written & autograded_files(graded["code"].engine).keys()


def test_a_test_that_could_be_forged_says_so_in_a_comment_and_no_other_does(graded: Graded) -> None:
    comments = {
        place[3]
        for (_, place), row in gradebook_rows(graded["code"].engine).items()
        if isinstance(row, Comment) and (row.auto_comment or "").startswith(FORGEABLE)
    }
    # Two ask for what a learner's cell does to a name of a test, one for the notebook's `Out`, and the
    # others go on from what a hidden test has done.
    after_hidden_tests = {"balance", "items", "squares", "column", "share"}
    assert comments == {"defined-for-later", "helper-functions", "last-result", *after_hidden_tests}
