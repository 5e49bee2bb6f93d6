"""What learners and their tools do to notebooks, by a seed; each mutation leaves the answers in the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

Cell = dict[str, Any]
Cells = list[Cell]
Mutation = Callable[[Cells, Random], None]
"""Changes the cells in place; raises `LookupError` or `ValueError` where there are too few of the kind."""

_FIRST = ("delete", "edit", "retype")
_LAST = ("sources as lines",)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mutated notebook file, and the names of what was done to it."""

    names: tuple[str, ...]
    seed: int
    content: bytes


def mutant(notebook: Mapping[str, Any], seed: int) -> Mutant:
    """Return the `seed`-th mutant of a notebook in format 4: one mutation, in every third mutant two."""
    random = Random(seed)  # noqa: S311
    kinds = sorted(MUTATIONS)
    chosen = [kinds[seed % len(kinds)], *random.sample(kinds, 1 if seed % 3 == 0 else 0)]
    mutated = deepcopy(dict(notebook))
    done = []
    # What replaces or removes a whole cell comes first: later there can be an answer in it.
    for name in sorted(chosen, key=lambda name: (name in _LAST) - name.startswith(_FIRST)):
        with suppress(LookupError, ValueError):  # it has too few cells of the kind
            MUTATIONS[name](mutated["cells"], random)
            done.append(name)
    if seed % 20 == 7 or not done:
        mutated = _as_format_3(mutated)
        done.append("format 3")
    return Mutant(tuple(done), seed, json.dumps(mutated).encode())


def grading(cell: Cell) -> dict[str, Any]:
    """Return nbgrader's data about a cell; empty for an ordinary one."""
    found = cell["metadata"].get("nbgrader")
    return found if isinstance(found, dict) else {}


def is_answer(cell: Cell) -> bool:
    return cell["cell_type"] == "code" and bool(grading(cell).get("solution"))


def is_test(cell: Cell) -> bool:
    flags = grading(cell)
    return cell["cell_type"] == "code" and bool(flags.get("grade")) and not flags.get("solution")


def is_setup(cell: Cell) -> bool:
    return cell["cell_type"] == "code" and not grading(cell) and "import" in cell["source"]


def _pick(cells: Cells, random: Random, kind: Callable[[Cell], bool]) -> int:
    return random.choice([index for index, cell in enumerate(cells) if kind(cell)])


def _split(cell: Cell, at: int) -> tuple[Cell, Cell]:
    first, second = deepcopy(cell), deepcopy(cell)
    first["source"], second["source"] = cell["source"][:at], cell["source"][at:].lstrip("\n")
    second["id"] = f"{second.get('id', 'cell')}-b"[:64]
    return first, second


def _line_start(cell: Cell, random: Random) -> int:
    return random.choice([index + 1 for index, character in enumerate(cell["source"]) if character == "\n"])


def split_answer(cells: Cells, random: Random) -> None:
    index = _pick(cells, random, is_answer)
    cells[index : index + 1] = _split(cells[index], _line_start(cells[index], random))


def split_answer_anywhere(cells: Cells, random: Random) -> None:
    index = _pick(cells, random, is_answer)
    cells[index : index + 1] = _split(cells[index], random.randrange(len(cells[index]["source"]) + 1))


def split_answer_in_three(cells: Cells, random: Random) -> None:
    split_answer(cells, random)
    split_answer(cells, random)


def split_answer_into_a_new_cell(cells: Cells, random: Random) -> None:
    index = _pick(cells, random, is_answer)
    first, second = _split(cells[index], _line_start(cells[index], random))
    second["metadata"] = {}
    cells[index : index + 1] = [first, second]


def split_tests(cells: Cells, random: Random) -> None:
    index = _pick(cells, random, is_test)
    cells[index : index + 1] = _split(cells[index], _line_start(cells[index], random))


def _merge(cells: Cells, start: int, end: int) -> None:
    merged = deepcopy(cells[start])
    merged["source"] = "\n\n".join(cell["source"] for cell in cells[start:end])
    cells[start:end] = [merged]


def merge_answer_with_tests(cells: Cells, random: Random) -> None:
    index = _pick(cells, random, is_answer)
    _merge(cells, index, index + 2)


def merge_text_with_answer(cells: Cells, random: Random) -> None:
    index = _pick(cells, random, is_answer)
    _merge(cells, index - 1, index + 1)


def merge_tests_with_what_follows(cells: Cells, random: Random) -> None:
    index = _pick(cells, random, is_test)
    _merge(cells, index, index + random.randint(2, 3))


def merge_exercises(cells: Cells, random: Random) -> None:
    index = _pick(cells, random, is_answer)
    _merge(cells, index, index + random.randint(3, 6))


def _duplicate(cells: Cells, index: int, place: int) -> None:
    copy = deepcopy(cells[index])
    copy["id"] = f"{copy.get('id', 'cell')}-c"[:64]
    cells.insert(place, copy)


def duplicate_answer(cells: Cells, random: Random) -> None:
    index = _pick(cells, random, is_answer)
    _duplicate(cells, index, random.choice([index + 1, index, len(cells), 0]))


def duplicate_tests(cells: Cells, random: Random) -> None:
    index = _pick(cells, random, is_test)
    _duplicate(cells, index, random.choice([index + 1, len(cells), 0]))


def duplicate_everything(cells: Cells, _random: Random) -> None:
    cells += deepcopy(cells)


def paste_stub_again(cells: Cells, random: Random) -> None:
    index = _pick(cells, random, is_answer)
    _duplicate(cells, index, random.choice([index + 1, index]))
    head = cells[index]["source"].split("\n")[0]
    stub = f"{head}\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    cells[index + 1]["source"] = stub if head.startswith("def ") else cells[index]["source"]


def delete_tests(cells: Cells, random: Random) -> None:
    del cells[_pick(cells, random, is_test)]


def delete_all_tests(cells: Cells, _random: Random) -> None:
    cells[:] = [cell for cell in cells if not is_test(cell)]


def delete_setup(cells: Cells, random: Random) -> None:
    del cells[_pick(cells, random, is_setup)]


def delete_texts(cells: Cells, random: Random) -> None:
    cells[:] = [
        cell for cell in cells if cell["cell_type"] == "code" or grading(cell) or random.random() < 0.5
    ]


def _retype(cell: Cell, cell_type: str) -> None:
    cell["cell_type"] = cell_type
    for key in ("outputs", "execution_count"):
        cell.pop(key, None)
    if cell_type == "code":
        cell |= {"outputs": [], "execution_count": None}


def retype_answer(cells: Cells, random: Random) -> None:
    _retype(cells[_pick(cells, random, is_answer)], random.choice(["markdown", "raw"]))


def retype_tests(cells: Cells, random: Random) -> None:
    _retype(cells[_pick(cells, random, is_test)], random.choice(["markdown", "raw"]))


def retype_setup(cells: Cells, random: Random) -> None:
    _retype(cells[_pick(cells, random, is_setup)], random.choice(["markdown", "raw"]))


def retype_written(cells: Cells, random: Random) -> None:
    index = _pick(cells, random, lambda cell: cell["cell_type"] == "markdown" and bool(grading(cell)))
    _retype(cells[index], "code")


def _move(cells: Cells, index: int, place: int) -> None:
    cells.insert(place, cells.pop(index))


def move_tests(cells: Cells, random: Random) -> None:
    _move(cells, _pick(cells, random, is_test), random.randrange(len(cells)))


def move_answer(cells: Cells, random: Random) -> None:
    _move(cells, _pick(cells, random, is_answer), random.randrange(len(cells)))


def move_setup(cells: Cells, random: Random) -> None:
    _move(cells, _pick(cells, random, is_setup), len(cells) - 1)


def move_tests_to_the_top(cells: Cells, _random: Random) -> None:
    cells.sort(key=lambda cell: not is_test(cell))


def shuffle_cells(cells: Cells, random: Random) -> None:
    random.shuffle(cells)


def reverse_cells(cells: Cells, _random: Random) -> None:
    cells.reverse()


def _change(name: str, *values: Any) -> Mutation:
    """Return the mutation that sets one field of nbgrader's data, or takes it out (`...`)."""

    def change(cells: Cells, random: Random) -> None:
        value = random.choice(values)
        chosen = [cell for cell in cells if grading(cell) and random.random() < 0.5]
        for cell in chosen or [cells[_pick(cells, random, lambda cell: bool(grading(cell)))]]:
            if value is ...:
                grading(cell).pop(name, None)
            else:
                grading(cell)[name] = value

    return change


def remove_metadata(cells: Cells, random: Random) -> None:
    cells[_pick(cells, random, lambda cell: bool(grading(cell)))]["metadata"] = {}


def remove_all_metadata(cells: Cells, _random: Random) -> None:
    for cell in cells:
        cell["metadata"] = {}


def garble_metadata(cells: Cells, random: Random) -> None:
    cell = cells[_pick(cells, random, lambda cell: bool(grading(cell)))]
    cell["metadata"]["nbgrader"] = random.choice([None, [], "answer", {"grade_id": 7}, {"grade_id": None}])


def rename_answer(cells: Cells, random: Random) -> None:
    grading(cells[_pick(cells, random, is_answer)])["grade_id"] = "my-answer"


def rename_tests(cells: Cells, random: Random) -> None:
    grading(cells[_pick(cells, random, is_test)])["grade_id"] = "my-tests"


def swap_names(cells: Cells, random: Random) -> None:
    named = [cell for cell in cells if grading(cell) and cell["cell_type"] == "code"]
    one, other = random.sample(named, 2)
    one["metadata"], other["metadata"] = other["metadata"], one["metadata"]


def skip_tests(cells: Cells, random: Random) -> None:
    for cell in cells:
        cell["metadata"]["tags"] = [random.choice(["skip-execution", "raises-exception", "mine"])]


def tag_answer(cells: Cells, random: Random) -> None:
    cells[_pick(cells, random, is_answer)]["metadata"]["tags"] = ["skip-execution"]


def edit_tests(cells: Cells, random: Random) -> None:
    for cell in filter(is_test, cells):
        cell["source"] = random.choice(["pass", "", "assert True", f"{cell['source']}\nassert False"])


def edit_texts(cells: Cells, _random: Random) -> None:
    for cell in cells:
        if cell["cell_type"] == "markdown" and not grading(cell):
            cell["source"] += "\n\nMy own note."


def paste_foreign_cell(cells: Cells, random: Random) -> None:
    known = [grading(cell).get("grade_id") for cell in cells if is_answer(cell)]
    name = random.choice(["cell-8f3c", "other-tests", random.choice(known)])
    flags = {"schema_version": 3, "grade_id": name, "grade": False, "solution": True, "locked": False}
    source = "def from_elsewhere(x):\n    return x + 1"
    cells.insert(random.randrange(len(cells)), _new(source, nbgrader={**flags, "task": False}))


def paste_own_cells(cells: Cells, random: Random) -> None:
    for source in (
        "1 / 0",
        "print('hello')",
        "import os\nos.getcwd()",
        "raise SystemExit",
        "x = = 1",
        "%who",
    ):
        cells.insert(random.randrange(len(cells)), _new(source))


def clear_cell_ids(cells: Cells, random: Random) -> None:
    value = random.choice([None, "same", "not an id!"])
    for cell in cells:
        if value is None:
            cell.pop("id", None)
        else:
            cell["id"] = value


def answer_in_a_new_cell(cells: Cells, random: Random) -> None:
    index = _pick(cells, random, is_answer)
    source = cells[index]["source"]
    head = source.split("\n")[0]
    stub = f"{head}\n    # YOUR CODE HERE\n    raise NotImplementedError()" if head.startswith("def ") else ""
    cells[index]["source"] = random.choice([stub, "", "# see below"])
    cells.insert(random.choice([index, index + 1, index + 2, len(cells)]), _new(source))


def answer_in_another_answer(cells: Cells, random: Random) -> None:
    one, other = random.sample([index for index, cell in enumerate(cells) if is_answer(cell)], 2)
    cells[other]["source"] += "\n\n" + cells[one]["source"]
    cells[one]["source"] = ""


def swap_answers(cells: Cells, random: Random) -> None:
    one, other = random.sample([cell for cell in cells if is_answer(cell)], 2)
    one["source"], other["source"] = other["source"], one["source"]


def all_answers_in_one_cell(cells: Cells, random: Random) -> None:
    answers = [cell for cell in cells if is_answer(cell)]
    together = "\n\n\n".join(cell["source"] for cell in answers)
    for cell in answers:
        cell["source"] = ""
    random.choice(answers)["source"] = together


def delete_answer_cells(cells: Cells, random: Random) -> None:
    """As when a learner starts from an empty cell: the cell is gone, its text stands in a new one."""
    index = _pick(cells, random, is_answer)
    source = cells.pop(index)["source"]
    cells.insert(random.choice([index, index + 1, len(cells)]), _new(source))


def add_magics(cells: Cells, random: Random) -> None:
    cell = cells[_pick(cells, random, is_answer)]
    cell["source"] = random.choice(["%%time\n", "%matplotlib inline\n", "!true\n"]) + cell["source"]


def garble_outputs(cells: Cells, random: Random) -> None:
    for cell in cells:
        if cell["cell_type"] == "code":
            cell["outputs"] = random.choice([None, "x", [{}], [{"output_type": "error"}], {}])
            cell["execution_count"] = random.choice([None, -1, "3"])


def sources_as_lines(cells: Cells, _random: Random) -> None:
    for cell in cells:
        cell["source"] = cell["source"].splitlines(keepends=True)


def _new(source: str, **metadata: Any) -> Cell:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": "pasted",
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def _as_format_3(notebook: Mapping[str, Any]) -> dict[str, Any]:
    cells = []
    for cell in notebook["cells"]:
        kept = {"cell_type": cell["cell_type"], "metadata": cell["metadata"]}
        if cell["cell_type"] == "code":
            kept |= {"input": cell["source"], "language": "python", "outputs": [], "collapsed": False}
        else:
            kept["source"] = cell["source"]
        cells.append(kept)
    return {
        "metadata": {"name": "exercises"},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [{"cells": cells, "metadata": {}}],
    }


_PLAIN: tuple[Mutation, ...] = (
    split_answer, split_answer_anywhere, split_answer_in_three, split_answer_into_a_new_cell, split_tests,
    merge_answer_with_tests, merge_text_with_answer, merge_tests_with_what_follows, merge_exercises,
    duplicate_answer, duplicate_tests, duplicate_everything, paste_stub_again,
    delete_tests, delete_all_tests, delete_setup, delete_texts, delete_answer_cells,
    retype_answer, retype_tests, retype_setup, retype_written,
    move_tests, move_answer, move_setup, move_tests_to_the_top, shuffle_cells, reverse_cells,
    remove_metadata, remove_all_metadata, garble_metadata, rename_answer, rename_tests, swap_names,
    skip_tests, tag_answer, edit_tests, edit_texts, paste_foreign_cell, paste_own_cells, clear_cell_ids,
    answer_in_a_new_cell, answer_in_another_answer, swap_answers, all_answers_in_one_cell,
    add_magics, garble_outputs, sources_as_lines,
)  # fmt: skip
MUTATIONS: Mapping[str, Mutation] = {
    **{mutation.__name__.replace("_", " "): mutation for mutation in _PLAIN},
    "change points": _change("points", 0, 100, -1, "many", None),
    "change locked": _change("locked", True, False, "yes"),
    "change grade": _change("grade", True, False),
    "change solution": _change("solution", True, False),
    "change task": _change("task", True, 3),
    "change checksum": _change("checksum", "", "0" * 32, ...),
    "change schema version": _change("schema_version", 99, 1, "3", None),
    "remove schema version": _change("schema_version", ...),
}
