"""What a trainer reads after a batch."""

from __future__ import annotations

import pytest

from graders.engine.batch import Line, Report
from graders.engine.report import as_document, as_lines
from graders.engine.results import Remark

pytestmark = pytest.mark.quick


def report(*remarks: Remark) -> Report:
    return Report("ps1", lines=[Line("ada", 2.0, 3.0, remarks=remarks)], seconds=1.0)


def test_thousands_of_files_are_told_by_the_first_and_their_number() -> None:
    surplus = [Remark("files", f"f{number}.txt is left out.") for number in range(5_000)]
    repair = Remark("repair", "A cell was missing; it was put back.", "problem", "area")
    full = report(*surplus, repair)
    assert as_lines(full) == [
        "ada  2 of 3 points",
        *(f"    f{number}.txt is left out." for number in range(5)),
        "    … and 4995 more of this kind; --json lists all.",
        "    problem/area: A cell was missing; it was put back.",
        "1 of 1 submissions graded in 1.0 s.",
    ]
    assert len(as_document(full)["submissions"][0]["remarks"]) == 5_001


def test_tests_that_could_be_forged_are_named_once_for_all() -> None:
    forgeable = Remark("forgeable", "it patches a module", "problem", "area")
    lines = as_lines(Report("ps1", lines=[Line(name, 1, 1, remarks=(forgeable,)) for name in ("ada", "bob")]))
    assert lines.count("    problem/area: it patches a module") == 1
