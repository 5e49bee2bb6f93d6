"""A roster file with faults: each of them is told, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from course.errors import FileProblems
from course.roster_file import read_roster

pytestmark = pytest.mark.quick


def problems_of(file: Path, *lines: str) -> tuple[str, ...]:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(FileProblems) as refused:
        read_roster(file)
    return tuple(refused.value.problems)


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_quotation_mark_left_open_hides_no_other_problem(tmp_path: Path, separator: str) -> None:
    lines = ["username,name", "Bob,Bob", 'ada,"Ada', 'cleo,"Cleo" Fox', "", "1dan,Dan"]
    found = problems_of(tmp_path / "roster.csv", *(line.replace(",", separator) for line in lines))
    assert [problem.split(":")[0] for problem in found] == ["line 2", "line 3", "line 4", "line 6"]
    assert found[1] == "line 3: a quotation mark opened on this line is not closed on it"
    assert "follows a closing quotation mark" in found[2]


def test_a_quotation_mark_left_open_in_the_header_is_named(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path / "roster.csv", 'username,"name', "ada,Ada")
    assert problem == "line 1: a quotation mark opened on this line is not closed on it"


def test_a_quoted_cell_may_hold_a_separator_and_quotation_marks(tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_text('username,name\nada,"Lovelace, ""Ada"""\n', encoding="utf-8")
    assert read_roster(file)[0].display_name == 'Lovelace, "Ada"'
