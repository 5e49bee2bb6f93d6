"""What a trainer's formgrader says of a test beside its points."""

from __future__ import annotations

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from extensions.formgrader import page_policy, with_remarks
from tests.unit.test_trainer_copy import formgraded

pytestmark = pytest.mark.quick


def graded(name: str) -> NotebookNode:
    nbgrader = {
        "grade": True,
        "grade_id": name,
        "points": 2,
        "locked": True,
        "solution": False,
        "task": False,
    }
    return new_code_cell("assert mean([1]) == 1", metadata={"nbgrader": nbgrader})


def test_a_test_that_could_be_forged_says_so_in_its_heading_and_no_other_does() -> None:
    page = formgraded(new_notebook(cells=[graded("mean"), graded("mean-tests")]))
    remark = "It ran beside the learner's code: <b>patch()</b>"
    told = with_remarks(page, {"mean-tests": remark, "gone": "x"})
    assert told.count('role="note"') == 1
    before, _, after = told.partition('role="note"')
    assert before.endswith("<code>mean-tests</code></span><strong ")
    assert "It ran beside the learner&#x27;s code: &lt;b&gt;patch()&lt;/b&gt;" in after


def test_a_remark_lets_nothing_more_run() -> None:
    page = formgraded(new_notebook(cells=[graded("mean-tests")]))
    assert page_policy(with_remarks(page, {"mean-tests": "x"})) == page_policy(page)
