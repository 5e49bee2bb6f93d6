"""Honest work on which stock nbgrader fails or gives something away; the engine deliberately does better."""

from __future__ import annotations

from copy import deepcopy

from nbformat import NotebookNode

from tests.equality.cells import answer, code, essay, locked_tests, notebook
from tests.equality.course import Course, Submission, assignment

ABOVE_MAXIMUM = assignment(
    "above-maximum",
    notebook(
        answer("words", "### BEGIN SOLUTION\nwords = ['sun', 'moon', 'sky']\n### END SOLUTION"),
        locked_tests("count", "len(words)", points=3),
        locked_tests("kind", "assert isinstance(words, list)", points=1),
    ),
    Submission("ann", {"words": "words = ['sun', 'moon', 'sky', 'star']"}),
    Submission("bob", {"words": "words = ['sun']"}),
)

NOT_A_NUMBER = assignment(
    "not-a-number",
    notebook(
        answer("share", "### BEGIN SOLUTION\nright, total = 1.0, 2.0\n### END SOLUTION"),
        locked_tests("ratio", "float(right) / float(total)", points=1),
        locked_tests("bare", "right / total", points=1),
    ),
    Submission("ann"),
    Submission("bob", {"share": "right = total = float('nan')"}),
    Submission("cyd", {"share": "import numpy as np\nright, total = np.float64(0.5), np.float64(2)"}),
)


def _without_schema_version(submitted: NotebookNode) -> None:
    for cell in submitted.cells:
        cell.metadata.nbgrader.pop("schema_version")


def _from_the_future(submitted: NotebookNode) -> None:
    for cell in submitted.cells:
        cell.metadata.nbgrader.schema_version = 99


METADATA = assignment(
    "metadata",
    notebook(
        answer("a", "### BEGIN SOLUTION\na = 1\n### END SOLUTION"),
        locked_tests("a-tests", "assert a == 1", points=2),
        essay("why", "Because.", points=1),
    ),
    Submission("ann", edit=_without_schema_version),
    Submission("bob", edit=_from_the_future),
    Submission("cyd"),
)


def _deleted_tests(submitted: NotebookNode) -> None:
    del submitted.cells[1]


def _duplicated_answer(submitted: NotebookNode) -> None:
    copy = deepcopy(submitted.cells[0])
    copy.id, copy.source = "copy", "a = 2  # first try"
    submitted.cells.insert(0, copy)


def _skipped(submitted: NotebookNode) -> None:
    submitted.cells[1].metadata.tags = ["skip-execution"]


def _retyped(submitted: NotebookNode) -> None:
    submitted.cells[1].cell_type = "raw"
    for name in ("outputs", "execution_count"):
        submitted.cells[1].pop(name, None)


def _lost_metadata(submitted: NotebookNode) -> None:
    for cell in submitted.cells:
        cell.metadata.pop("nbgrader")


LOST_CELLS = assignment(
    "lost-cells",
    notebook(
        answer("a", "### BEGIN SOLUTION\na = 1\n### END SOLUTION"),
        locked_tests("a-tests", "assert a == 1", points=2),
        locked_tests("a-kind", "assert isinstance(a, int)", points=1),
    ),
    Submission("ann", edit=_deleted_tests),
    Submission("bob", edit=_duplicated_answer),
    Submission("cyd", {"a": "a = 2"}, edit=_skipped),
    Submission("dee", edit=_retyped),
    Submission("eli", edit=_lost_metadata),
    Submission("fay"),
)

HIDDEN_NAMES = assignment(
    "hidden-names",
    notebook(
        code("found = 1"),
        locked_tests(
            "found-tests",
            """
            ### BEGIN HIDDEN TESTS
            found, secret = 2, 42
            ### END HIDDEN TESTS
            assert found
            """,
            points=1,
        ),
        code("print(found, 'secret' in globals())"),
    ),
    Submission("ann"),
)

FAULTS = Course("faults", (ABOVE_MAXIMUM, NOT_A_NUMBER, METADATA, LOST_CELLS, HIDDEN_NAMES))
