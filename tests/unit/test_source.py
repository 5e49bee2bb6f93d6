"""What an author writes in MyST becomes nbgrader's metadata, and every mistake a finding with its line."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator

from graders.authoring.source import SourceNotebook, read_source

pytestmark = pytest.mark.quick

EXERCISE = """\
# Doubling

```{code-cell} ipython3
:solution: double

def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
```

```{code-cell} ipython3
---
tests: double
points: 2
skills: [doubling]
---
assert double(1) == 2
### BEGIN HIDDEN TESTS
assert double(4) == 8
### END HIDDEN TESTS
```

+++ {"written": "why", "points": 3, "skills": ["doubling"]}

Because.

+++

The end.

```{code-cell} ipython3
:quiz: doubling
```
"""


def source(folder: Path, text: str) -> SourceNotebook:
    path = folder / "exercises.md"
    path.write_text(text, encoding="utf-8")
    return read_source(path)


def code_cell(*options: str, body: str = "x = 1") -> str:
    return "\n".join(["```{code-cell} ipython3", "---", *options, "---", body, "```", ""])


def findings(folder: Path, text: str) -> list[str]:
    return [f"{each.line}: {each.code} {each.message}" for each in source(folder, text).findings]


def test_the_shorthand_becomes_metadata_that_nbgrader_accepts(tmp_path: Path) -> None:
    notebook = source(tmp_path, EXERCISE).built(quiz_points=7)
    MetadataValidator().validate_nb(notebook)
    graded = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader
        for cell in notebook.cells
        if "nbgrader" in cell.metadata
    }
    flags = {
        name: (each.grade, each.solution, each.locked, each.get("points")) for name, each in graded.items()
    }
    assert flags == {
        "double": (False, True, False, None),
        "double-tests": (True, False, True, 2),
        "why": (True, True, False, 3),
        "quiz-doubling": (True, False, True, 7),
    }


def test_a_quiz_cell_shows_the_quiz_and_a_graded_cell_keeps_its_skills(tmp_path: Path) -> None:
    cells = source(tmp_path, EXERCISE).built().cells
    assert cells[-1].source == 'spoc.quiz("doubling")'
    assert [cell.metadata.get("spoc") for cell in cells if "nbgrader" in cell.metadata] == [
        None,
        {"skills": ["doubling"]},
        {"skills": ["doubling"]},
        None,
    ]


def test_the_same_text_gives_the_same_bytes(tmp_path: Path) -> None:
    built = [nbformat.writes(source(tmp_path, EXERCISE).built()) for _ in range(2)]
    assert built[0] == built[1]


def test_a_cell_keeps_its_id_when_another_comes_before_it(tmp_path: Path) -> None:
    before = [cell.id for cell in source(tmp_path, EXERCISE).built().cells]
    after = [cell.id for cell in source(tmp_path, "New first cell.\n\n+++\n\n" + EXERCISE).built().cells]
    assert after[1:] == before


def test_equal_cells_have_ids_of_their_own(tmp_path: Path) -> None:
    ids = [cell.id for cell in source(tmp_path, "same\n\n+++\n\nsame\n").built().cells]
    assert len(set(ids)) == 2


def test_nbgraders_own_metadata_passes_unchanged(tmp_path: Path) -> None:
    own = "nbgrader: {schema_version: 3, grade: true, solution: false, locked: true, grade_id: t, points: 1}"
    (cell,) = source(tmp_path, code_cell(own)).built().cells
    assert cell.metadata == {
        "nbgrader": {
            "schema_version": 3,
            "grade": True,
            "solution": False,
            "locked": True,
            "grade_id": "t",
            "points": 1,
        }
    }


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (code_cell("soluton: double"), "1: E002 soluton is not a known key; did you mean solution?"),
        (code_cell("points: 2"), "1: E002 points belong to a tests or a written cell"),
        (
            code_cell("solution: a", "tests: a", "points: 1"),
            "1: E002 a cell is one thing, this one is: solution, tests",
        ),
        (
            code_cell("written: a", "points: 1"),
            "1: E002 written belongs to a markdown cell, this is a code cell",
        ),
        (code_cell("nbgrader: {schema_version: 3}"), "1: E002 nbgrader refuses its metadata: "),
        (code_cell("quiz: Doubling!"), "1: E003 'Doubling!' must be lower-case words"),
        (code_cell("tests: a", "points: 1"), "1: E004 no cell before has `solution: a`"),
        (code_cell("solution: a"), "1: E004 no cell has `tests: a`"),
        (
            code_cell("solution: a") + code_cell("tests: a", "points: 0"),
            "7: E005 a-tests needs points, a number above 0, not 0",
        ),
        (
            code_cell("solution: a") + code_cell("tests: a"),
            "7: E005 a-tests needs points, a number above 0, not None",
        ),
        (
            code_cell("tags: []", body="### BEGIN SOLUTION\nx = 1"),
            "1: E006 BEGIN SOLUTION without an END after it",
        ),
        (
            code_cell("quiz: a", body="### END HIDDEN TESTS"),
            "1: E006 END HIDDEN TESTS without a BEGIN before it",
        ),
        (
            code_cell("quiz: a", body="### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS"),
            "1: E006 a quiz cell has no HIDDEN TESTS region",
        ),
        (
            code_cell("quiz: a", "tags: [skip-execution]"),
            "1: E012 the tag skip-execution on quiz-a would change its mark",
        ),
        (code_cell("tests: [open"), "1: E001 Code cell 0 at line 1 could not be read: Invalid YAML"),
        ("+++ {not json}\n\ntext\n", "1: E001 Markdown cell 0 at line 1 could not be read"),
    ],
)
def test_a_mistake_is_a_finding_with_its_line(tmp_path: Path, text: str, finding: str) -> None:
    assert any(found.startswith(finding) for found in findings(tmp_path, text)), findings(tmp_path, text)


def test_an_id_that_is_used_twice_names_the_first_use(tmp_path: Path) -> None:
    text = "title\n\n" + code_cell("quiz: a") + "\n" + code_cell("quiz: a")
    assert findings(tmp_path, text) == ["10: E003 quiz-a is used already, in line 3"]


def test_a_markdown_cell_is_found_at_its_mark(tmp_path: Path) -> None:
    text = 'title\n\n+++ {"written": "why"}\n\nBecause.\n'
    assert findings(tmp_path, text) == ["3: E005 why needs points, a number above 0, not None"]


def test_a_written_cell_without_a_model_answer_does_not_vanish(tmp_path: Path) -> None:
    text = 'Why?\n\n+++ {"written": "why", "points": 3}\n\n+++\n\nThe end.\n'
    assert findings(tmp_path, text) == ["3: E002 a written cell has a text: the model answer"]


def test_every_mistake_of_a_file_is_found_at_once(tmp_path: Path) -> None:
    text = code_cell("solution: a", "pionts: 2") + code_cell("tests: b")
    assert [found.split()[1] for found in findings(tmp_path, text)] == ["E002", "E004", "E004", "E005"]


def test_the_text_of_a_right_file_has_no_finding(tmp_path: Path) -> None:
    assert findings(tmp_path, EXERCISE) == []
