"""On honest work the engine leaves what `nbgrader autograde` leaves: rows, notebooks, files, exit code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import find_kernel_specs

from graders.execution.status import OUT_OF_TIME
from tests.equality.assignments import CODE, HABITS, POINTS, POLICIES, R_COURSE
from tests.equality.conftest import GradedCourse
from tests.equality.course import Course
from tests.equality.rows import FORGEABLE, Comment, Row, autograded_files, cells_of, gradebook_rows

# The first test waits until both have graded everything.
pytestmark = pytest.mark.timeout(900)

needs_r = pytest.mark.skipif(
    "ir" not in find_kernel_specs(), reason="IRkernel is not installed (kernel 'ir')"
)


def _every_assignment() -> Iterator[Any]:
    for course in (POINTS, CODE, HABITS, POLICIES, R_COURSE):
        marks = [needs_r] if course is R_COURSE else []
        for name in course.assignment_names:
            yield pytest.param(course, name, id=name, marks=marks)


every_assignment = pytest.mark.parametrize(("course", "name"), list(_every_assignment()))


def _of(graded: Mapping[str, GradedCourse], course: Course) -> tuple[Path, Path]:
    """Return the course directories that stock and engine graded."""
    return graded[course.name].stock, graded[course.name].engine


def _files(folder: Path, name: str) -> dict[str, Path]:
    return {file: path for file, path in autograded_files(folder).items() if Path(file).parts[1] == name}


def _cells(folder: Path, name: str) -> dict[tuple[str, int], dict[str, Any]]:
    """Return the cells of all graded notebooks of an assignment by file and position."""
    return {
        (file, position): cell
        for file, path in _files(folder, name).items()
        if path.suffix == ".ipynb"
        for position, cell in enumerate(cells_of(path))
    }


def _is_test(cell: Mapping[str, Any]) -> bool:
    flags = cell["metadata"].get("nbgrader", {})
    return cell["type"] == "code" and flags.get("grade", False) and not flags.get("solution", False)


def _as_judged(cell: dict[str, Any]) -> dict[str, Any]:
    """Return a test without what differs by where it ran: in the referee, which has no frontend.

    Its traceback has other frames, its results are not counted, and nothing is displayed but the result.
    Errors come first, since nbgrader believes the first error or result that it meets.
    """
    shown = [each for each in cell["outputs"] if each["output_type"] != "display_data"]
    outputs = [_without(each, "traceback", "execution_count") for each in shown]
    return {
        **_without(cell, "count"),
        "outputs": sorted(outputs, key=lambda output: output["output_type"] != "error"),
    }


def _without(mapping: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in names}


def _differences(stock: Mapping[Any, Any], engine: Mapping[Any, Any]) -> list[str]:
    assert stock
    return [
        f"{key}:\n  stock  {stock.get(key)}\n  engine {engine.get(key)}"
        for key in {**stock, **engine}
        if stock.get(key) != engine.get(key)
    ]


@every_assignment
def test_every_row_of_the_gradebook_is_the_same(
    graded: Mapping[str, GradedCourse], course: Course, name: str
) -> None:
    def rows(folder: Path) -> dict[Any, Any]:
        found = {key: row for key, row in gradebook_rows(folder).items() if key[1][0] == name}
        return {key: row for key, row in found.items() if not _says_forgeable(row)}

    stock, engine = map(rows, _of(graded, course))
    assert _differences(stock, engine) == []


def _says_forgeable(row: Row) -> bool:
    return isinstance(row, Comment) and (row.auto_comment or "").startswith(FORGEABLE)


@every_assignment
def test_the_exit_code_is_the_same(graded: Mapping[str, GradedCourse], course: Course, name: str) -> None:
    both = graded[course.name]
    assert both.engine_exit_codes[name] == both.stock_run.exit_codes[name] == 0


@every_assignment
def test_what_is_no_test_has_the_same_outputs(
    graded: Mapping[str, GradedCourse], course: Course, name: str
) -> None:
    def shown(folder: Path) -> dict[Any, Any]:
        return {place: cell for place, cell in _cells(folder, name).items() if not _is_test(cell)}

    stock, engine = map(shown, _of(graded, course))
    assert [each for each in _differences(stock, engine) if OUT_OF_TIME not in each] == []


@every_assignment
def test_tests_have_the_same_outputs(graded: Mapping[str, GradedCourse], course: Course, name: str) -> None:
    def shown(folder: Path) -> dict[Any, Any]:
        return {place: _as_judged(cell) for place, cell in _cells(folder, name).items() if _is_test(cell)}

    stock, engine = map(shown, _of(graded, course))
    assert _differences(stock, engine) == []


@every_assignment
def test_the_same_files_lie_beside_the_notebooks(
    graded: Mapping[str, GradedCourse], course: Course, name: str
) -> None:
    def files(folder: Path) -> dict[Any, Any]:
        found = _files(folder, name).items()
        return {
            file: (path.stat().st_mode, "" if path.suffix == ".ipynb" else path.read_bytes())
            for file, path in found
            if _was_given(folder, Path(file))
        }

    stock, engine = map(files, _of(graded, course))
    assert _differences(stock, engine) == []


def _was_given(folder: Path, file: Path) -> bool:
    """Whether a file was handed in or is the instructor's; what learner code wrote is neither."""
    student, assignment, *inside = file.parts
    place = Path(assignment, *inside)
    return (folder / "submitted" / student / place).exists() or (folder / "source" / place).exists()
