"""Every kind of cell and of submission; spaces in the names of an assignment and its notebooks."""

from __future__ import annotations

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.equality.cells import (
    answer,
    code,
    essay,
    locked_tests,
    notebook,
    program,
    read_only,
    read_only_text,
    task,
    text,
)
from tests.equality.course import Submission, assignment


def _extra_cells(submitted: NotebookNode) -> None:
    submitted.cells.insert(0, new_markdown_cell("My notes"))
    submitted.cells.insert(4, new_code_cell("rate = rate  # tried something\nprint(rate)"))
    submitted.cells.append(new_markdown_cell("My work on the task"))
    submitted.cells.append(new_code_cell("sum(range(10))"))


def _ungraded_error(submitted: NotebookNode) -> None:
    submitted.cells.insert(3, new_code_cell("print('before')\n1 / 0"))


def _changed_locked_cells(submitted: NotebookNode) -> None:
    for cell in submitted.cells:
        if cell.metadata.get("nbgrader", {}).get("locked"):
            cell.source = f"{cell.source}\n# changed"


CELL_KINDS = assignment(
    "Week 1: all kinds of cells",
    {
        "Problem 1": notebook(
            text("# Rates"),
            read_only_text("intro", "Write `convert(amount)`; use the given `rate`."),
            read_only("setup", "rate = 1.25\nprint('rate', rate)"),
            code("amounts = [1, 2, 3]"),
            answer(
                "convert",
                """
                def convert(amount):
                    ### BEGIN SOLUTION
                    return amount * rate
                    ### END SOLUTION
                """,
            ),
            locked_tests("convert-one", "assert convert(4) == 5", points=2),
            locked_tests("convert-all", "assert [convert(a) for a in amounts] == [1.25, 2.5, 3.75]"),
            program(
                "program",
                """
                ### BEGIN SOLUTION
                print(max(map(convert, amounts)))
                ### END SOLUTION
                """,
                points=3,
            ),
            essay("essay", "Rates change the unit.", points=4),
            task(
                "task",
                """
                Describe the data.
                === BEGIN MARK SCHEME ===
                2 for a plot
                === END MARK SCHEME ===
                """,
                5,
            ),
        )
    },
    Submission("ann", {"essay": "They change what is counted."}),
    Submission("bob", solved=False),
    Submission(
        "cyd", {"convert": "def convert(amount):\n    return 5", "essay": "No idea.", "program": "1 +"}
    ),
    Submission("dee", {"convert": "def convert(amount:\n    return"}, edit=_extra_cells),
    Submission("eli", edit=_ungraded_error),
    Submission("fay", edit=_changed_locked_cells),
)


def _unrelated_kernel(submitted: NotebookNode) -> None:
    submitted.metadata.kernelspec = {"display_name": "Mine", "language": "python", "name": "my-own-kernel"}


def _notebook(name: str) -> NotebookNode:
    return notebook(
        answer(f"{name}-answer", f"### BEGIN SOLUTION\n{name} = '{name}'\n### END SOLUTION"),
        locked_tests(f"{name}-tests", f"assert {name} == '{name}'", points=1),
        essay(f"{name}-essay", "Because.", points=1),
    )


SEVERAL_NOTEBOOKS = assignment(
    "several-notebooks",
    {"part one": _notebook("one"), "part two": _notebook("two"), "part-3": _notebook("three")},
    Submission("ann", edit=_unrelated_kernel),
    Submission("bob", without=("part two",)),
    Submission(
        "cyd", {"two-answer": "two = 3"}, files={"scratch.ipynb": '{"cells": []}', "notes.txt": "mine"}
    ),
)
