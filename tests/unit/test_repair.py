"""What a learner or a tool did to a notebook is put right, and said; nobody gains by it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from benchmarks.mutations import MUTATIONS, Cells, mutant
from benchmarks.solved import SolvedExercises, solved_exercises
from course.language import catalogue
from graders.repair.document import MAX_CELLS, MAX_NOTEBOOK_BYTES, MESSAGES
from graders.repair.files import PROBLEMS
from graders.repair.notebook import Repaired, repair
from graders.repair.report import SENTENCES, Unreadable
from graders.repair.source import SourceCell, SourceNotebook, source_notebook

pytestmark = pytest.mark.quick

DOUBLE = "def double(x):\n    return 2 * x"
HALF = "def half(x):\n    return x / 2"
STUB = "def {}(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
DOUBLE_TESTS = "assert double(2) == 4\nassert double(0) == 0, 'nothing stays nothing'"
HALF_TESTS = "assert half(4) == 2\nassert half(0) == 0, 'nothing stays nothing'"
HIDDEN = "\n### BEGIN HIDDEN TESTS\nassert double(5) == 10\n### END HIDDEN TESTS"
SETUP = "import math\nlimit = math.pi"


def graded(cell: NotebookNode, grade_id: str, **flags: Any) -> NotebookNode:
    known = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    cell.metadata["nbgrader"] = {**known, "grade_id": grade_id, **flags}
    cell.id = grade_id
    return cell


def notebook(double: str, half: str, essay: str, hidden: str = "") -> NotebookNode:
    cells = [
        new_markdown_cell("# Doubling and halving, an exercise", id="intro"),
        new_code_cell(SETUP, id="setup"),
        new_markdown_cell("## Write a function that doubles", id="doubles"),
        graded(new_code_cell(double), "double", solution=True),
        graded(new_code_cell(DOUBLE_TESTS + hidden), "double-tests", grade=True, locked=True, points=2),
        new_markdown_cell("## Write a function that halves", id="halves"),
        graded(new_code_cell(half), "half", solution=True),
        graded(new_code_cell(HALF_TESTS), "half-tests", grade=True, locked=True, points=3),
        graded(new_markdown_cell(essay), "essay", grade=True, solution=True, points=4),
        new_markdown_cell("## The end of the exercise", id="end"),
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


KEPT = notebook(STUB.format("double"), STUB.format("half"), "YOUR ANSWER HERE", HIDDEN)
SOURCE = source_notebook(KEPT)
SOLVED = notebook(DOUBLE, HALF, "Halving undoes doubling.")


def done_to(change: Callable[[Cells], Any], source: SourceNotebook = SOURCE) -> Repaired:
    """Repair the solved notebook after `change`."""
    changed = json.loads(json.dumps(SOLVED))
    change(changed["cells"])
    repaired = repair(json.dumps(changed).encode(), source)
    nbformat.validate(repaired.notebook)
    return repaired


def kinds(repaired: Repaired) -> set[str]:
    return {each.kind for each in repaired.repairs}


def sources(repaired: Repaired) -> dict[str, str]:
    named = (cell for cell in repaired.notebook.cells if "nbgrader" in cell.metadata)
    return {cell.metadata.nbgrader.grade_id: cell.source for cell in named}


def order(repaired: Repaired) -> list[str]:
    return list(sources(repaired))


WHOLE = {cell.metadata.nbgrader.grade_id: cell.source for cell in SOLVED.cells if "nbgrader" in cell.metadata}
WHOLE["double-tests"] += HIDDEN
DOUBLE_AT, TESTS_AT, HALF_AT, ESSAY_AT = 3, 4, 6, 8


def test_a_solved_notebook_is_left_alone_but_for_hidden_tests() -> None:
    repaired = done_to(lambda _cells: None)
    assert sources(repaired) == WHOLE
    assert repaired.repairs == ()


def split(cells: Cells, index: int, metadata: dict[str, Any] | None = None) -> None:
    first, _, second = cells[index]["source"].partition("\n")
    cells.insert(index + 1, {**deepcopy(cells[index]), "source": second, "id": "second"})
    cells[index]["source"] = first
    if metadata is not None:
        cells[index + 1]["metadata"] = metadata


def merge(cells: Cells, start: int, end: int) -> None:
    cells[start]["source"] = "\n\n".join(cell["source"] for cell in cells[start:end])
    del cells[start + 1 : end]


def retype(cells: Cells, index: int, cell_type: str) -> None:
    cells[index]["cell_type"] = cell_type
    for key in ("outputs", "execution_count"):
        cells[index].pop(key, None)


def move_answer_out(cells: Cells, place: int) -> None:
    cells.insert(place, dict(new_code_cell(cells[DOUBLE_AT]["source"], id="mine")))
    cells[DOUBLE_AT + (place <= DOUBLE_AT)]["source"] = STUB.format("double")


def swap(cells: Cells, key: str, one: int, other: int) -> None:
    cells[one][key], cells[other][key] = cells[other][key], cells[one][key]


REPAIRS: dict[str, tuple[Callable[[Cells], Any], str]] = {
    "an answer was split": (lambda cells: split(cells, DOUBLE_AT), "joined"),
    "a part of an answer has no name": (lambda cells: split(cells, DOUBLE_AT, {}), "joined"),
    "a test was split": (lambda cells: split(cells, TESTS_AT), "locked-copy"),
    "an answer was merged with its test": (lambda cells: merge(cells, DOUBLE_AT, TESTS_AT + 1), "divided"),
    "a text was merged with an answer": (lambda cells: merge(cells, DOUBLE_AT - 1, TESTS_AT), "divided"),
    "two exercises were merged": (lambda cells: merge(cells, DOUBLE_AT, HALF_AT + 1), "divided"),
    "a test was merged with the next answer": (lambda cells: merge(cells, TESTS_AT, HALF_AT + 1), "divided"),
    "an answer is there twice": (lambda cells: cells.insert(0, deepcopy(cells[DOUBLE_AT])), "copy"),
    "a test is there twice": (lambda cells: cells.append(deepcopy(cells[TESTS_AT])), "locked-copy"),
    "a test is missing": (lambda cells: cells.pop(TESTS_AT), "restored"),
    "all metadata is gone": (lambda cells: [cell.update(metadata={}) for cell in cells], "recognised"),
    "an answer is text": (lambda cells: retype(cells, DOUBLE_AT, "markdown"), "type"),
    "a test is raw": (lambda cells: retype(cells, TESTS_AT, "raw"), "type"),
    "the setup is text": (lambda cells: retype(cells, 1, "markdown"), "ordinary-type"),
    "a test comes first": (lambda cells: cells.insert(0, cells.pop(TESTS_AT)), "order"),
    "an answer comes last": (lambda cells: cells.append(cells.pop(DOUBLE_AT)), "order"),
    "the cells are reversed": (lambda cells: cells.reverse(), "order"),
    "an answer was renamed": (
        lambda cells: cells[DOUBLE_AT]["metadata"]["nbgrader"].update(grade_id="mine"),
        "renamed",
    ),
    "names of answer and test are swapped": (lambda cells: swap(cells, "metadata", 3, 4), "renamed"),
    "answers are swapped": (lambda cells: swap(cells, "source", DOUBLE_AT, HALF_AT), "answer-moved"),
    "an answer stands at the end": (lambda cells: move_answer_out(cells, len(cells)), "answer-moved"),
    "an answer stands before its stub": (lambda cells: move_answer_out(cells, DOUBLE_AT), "answer-moved"),
    "a test was edited": (lambda cells: cells[TESTS_AT].update(source="pass"), "source"),
}  # fmt: skip


@pytest.mark.parametrize("name", REPAIRS)
def test_an_answer_and_its_tests_are_found_and_the_repair_is_told(name: str) -> None:
    change, kind = REPAIRS[name]
    repaired = done_to(change)
    found = {key: re.sub(r"\n{2,}", "\n", source) for key, source in sources(repaired).items()}
    assert found == WHOLE
    assert order(repaired) == list(WHOLE)
    assert kind in kinds(repaired)


def test_a_written_answer_below_its_cell_is_moved_into_it() -> None:
    def change(cells: Cells) -> None:
        cells.insert(ESSAY_AT + 1, dict(new_markdown_cell(cells[ESSAY_AT]["source"], id="below")))
        cells[ESSAY_AT]["source"] = "YOUR ANSWER HERE"

    assert sources(done_to(change)) == WHOLE


def test_setup_that_tests_need_is_put_back() -> None:
    cells = [
        *SOURCE.cells,
        SourceCell("code", "assert limit > 3", "limit-tests", grade=True, locked=True, points=1),
    ]
    repaired = done_to(lambda cells: cells.pop(1), SourceNotebook(tuple(cells)))
    assert kinds(repaired) >= {"setup"}
    assert repaired.notebook.cells[1].source == SETUP


def test_a_stub_pasted_after_the_answer_does_not_take_its_place() -> None:
    copy = {**json.loads(json.dumps(SOLVED.cells[DOUBLE_AT])), "source": STUB.format("double")}
    repaired = done_to(lambda cells: cells.insert(DOUBLE_AT + 1, copy))
    assert sources(repaired) == WHOLE
    assert not any("NotImplementedError" in cell.source for cell in repaired.notebook.cells)


@pytest.mark.parametrize(
    "change",
    [
        {"points": 100},
        {"points": "many"},
        {"points": None},
        {"grade": False},
        {"solution": True},
        {"task": True},
        {"locked": False},
        {"schema_version": 99},
        {"schema_version": None},
        {"checksum": "0"},
        {"extra": [1]},
    ],
    ids=str,
)
def test_grading_data_is_the_sources_whatever_is_submitted(change: dict[str, Any]) -> None:
    repaired = done_to(lambda cells: cells[TESTS_AT]["metadata"]["nbgrader"].update(change))
    data = repaired.notebook.cells[TESTS_AT].metadata.nbgrader
    for key, value in {"points": 2, "grade": True, "solution": False, "schema_version": 3}.items():
        assert data[key] == value
    assert not data.get("task")
    assert "extra" not in data
    assert len(data.checksum) == 32


def test_no_text_of_a_submitted_test_survives() -> None:
    def change(cells: Cells) -> None:
        for cell in cells:
            if cell["metadata"].get("nbgrader", {}).get("grade"):
                cell["source"] = "FORGED = True"

    repaired = done_to(change)
    tests = {name: text for name, text in sources(repaired).items() if name.endswith("-tests")}
    assert tests == {name: WHOLE[name] for name in tests}


def test_an_answer_cell_may_not_become_a_test() -> None:
    repaired = done_to(
        lambda cells: cells[DOUBLE_AT]["metadata"]["nbgrader"].update(grade_id="double-tests", grade=True)
    )
    assert sources(repaired)["double-tests"] == WHOLE["double-tests"]
    assert len([name for name in order(repaired) if name == "double-tests"]) == 1


def test_an_answer_that_is_broken_is_not_replaced_by_an_older_one() -> None:
    def change(cells: Cells) -> None:
        cells.append(dict(new_code_cell(DOUBLE, id="older")))
        cells[DOUBLE_AT]["source"] = "def double(x:\n    return 2 * x"

    repaired = done_to(change)
    assert repaired.repairs == ()
    assert sources(repaired)["double"].startswith("def double(x:")


def test_marks_of_hidden_tests_can_be_others() -> None:
    source = DOUBLE_TESTS + "\n# HIDE\nassert double(5) == 10"
    tests = replace(SOURCE.named["double-tests"], source=source, visible=DOUBLE_TESTS)
    cells = [tests if cell.grade_id == "double-tests" else cell for cell in SOURCE.cells]
    repaired = done_to(lambda _cells: None, SourceNotebook(tuple(cells)))
    assert repaired.repairs == ()
    assert sources(repaired)["double-tests"] == source


def test_tags_that_change_the_run_are_dropped_and_others_stay() -> None:
    repaired = done_to(
        lambda cells: cells[TESTS_AT]["metadata"].update(tags=["skip-execution", "mine", "raises-exception"])
    )
    assert repaired.notebook.cells[TESTS_AT].metadata.tags == ["mine"]
    assert kinds(repaired) == {"tag"}


def test_cells_of_another_assignment_are_not_graded() -> None:
    foreign = graded(
        new_code_cell("def from_elsewhere(): ..."), "elsewhere", grade=True, locked=True, points=50
    )
    repaired = done_to(lambda cells: cells.append(json.loads(json.dumps(foreign))))
    assert order(repaired) == list(WHOLE)
    assert repaired.notebook.cells[-1].metadata == {}
    assert [each.text for each in repaired.repairs] == [
        "The cell elsewhere does not belong to this assignment; it is not graded."
    ]


def test_an_answer_that_is_nowhere_is_said_to_be_missing() -> None:
    repaired = done_to(lambda cells: cells.pop(DOUBLE_AT))
    assert kinds(repaired) == {"no-answer"}
    assert "double" not in order(repaired)


def test_the_old_format_3_is_read() -> None:
    old = nbformat.convert(deepcopy(SOLVED), 3)
    repaired = repair(json.dumps(old).encode(), SOURCE)
    assert sources(repaired) == WHOLE
    assert kinds(repaired) == {"format"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not a notebook"),
        (b"[]", "not a notebook"),
        (b'{"cells": 3}', "not a notebook"),
        (b'{"cells": []', "not a notebook"),
        (b"\xff\xfe{}", "not a notebook"),
        (json.dumps(SOLVED).encode("utf-16"), "not a notebook"),
        (b'{"worksheets": [{"cells": [7]}]}', "not a notebook"),
        (b'{"cells":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nests too deep"),
        (b'{"cells":[' + b"[]," * 300_000 + b"[]]}", "too large"),
        (b'{"cells":[' + b"0," * 1_500_000 + b"0]}", "too large"),
        (b'{"cells":[' + b"{}," * (MAX_CELLS + 1) + b"{}]}", "more than 2000 cells"),
        (b" " * (MAX_NOTEBOOK_BYTES + 1), "too large"),
    ],
    ids=str,
)
def test_what_is_no_notebook_is_refused_with_a_next_step(content: bytes, problem: str) -> None:
    with pytest.raises(Unreadable, match=problem) as refused:
        repair(content, SOURCE, "exercises.ipynb")
    assert refused.value.problem.startswith("exercises.ipynb ")
    assert refused.value.next_step
    assert refused.value.told("fr") != refused.value.told("en")


def test_brackets_in_texts_are_no_nesting() -> None:
    repaired = done_to(lambda cells: cells[0].update(source='"[{' * 500 + "\\" * 7))
    assert repaired.notebook.cells[0].source == '"[{' * 500 + "\\" * 7


def test_half_a_character_does_not_stop_the_grading() -> None:
    repaired = done_to(lambda cells: cells[0].update(source="\ud800"))
    nbformat.writes(repaired.notebook).encode()


KEYS = ("cells", "metadata", "nbgrader", "grade_id", "source", "tags", "cell_type", "id", "attachments")
RUBBISH = st.recursive(
    st.none() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=60)
@given(RUBBISH)
def test_whatever_is_in_a_cell_the_result_is_a_valid_notebook(rubbish: Any) -> None:
    changed = json.loads(json.dumps(SOLVED))
    changed["cells"].insert(2, rubbish)
    changed["cells"][DOUBLE_AT + 1]["metadata"] = rubbish
    changed["metadata"] = rubbish
    repaired = repair(json.dumps(changed).encode(), SOURCE)
    nbformat.validate(repaired.notebook)
    assert sources(repaired)["half-tests"] == HALF_TESTS


@pytest.fixture(scope="module")
def samples() -> list[SolvedExercises]:
    return solved_exercises()


@pytest.mark.parametrize("seed", range(len(MUTATIONS)))
def test_after_every_mutation_the_tests_and_their_points_are_the_sources(
    seed: int, samples: list[SolvedExercises]
) -> None:
    exercises = samples[seed % len(samples)]
    repaired = repair(mutant(exercises.solved, seed).content, exercises.source)
    nbformat.validate(repaired.notebook)
    found = sources(repaired)
    for name, cell in exercises.source.named.items():
        if cell.locked:
            assert found[name] == cell.source
    for cell in repaired.notebook.cells:
        if data := cell.metadata.get("nbgrader"):
            assert data.get("points", 0) == exercises.source.named[data.grade_id].points


def test_every_sentence_has_its_french() -> None:
    french = catalogue("exchange", "fr")
    assert {*SENTENCES.values(), *PROBLEMS.values(), *MESSAGES} - french.keys() == set()
