"""Courses graded by both, once a session.

graded   (session) by course: the directory that stock nbgrader graded, the one that the engine graded
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from jupyter_client.kernelspec import find_kernel_specs

from tests.equality.assignments import CODE, FAULTS, HABITS, POINTS, POLICIES, R_COURSE
from tests.equality.course import write_course
from tests.equality.engine import grade_all
from tests.equality.stock import StockProcess, StockRun

STOCK_SECONDS = 800


@dataclass(frozen=True)
class GradedCourse:
    """One course, twice; exit codes are those of the two commands by assignment."""

    stock: Path
    engine: Path
    stock_run: StockRun
    engine_exit_codes: Mapping[str, int]


@pytest.fixture(scope="session")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, GradedCourse]:
    root = tmp_path_factory.mktemp("equality")
    courses = [POINTS, CODE, HABITS, POLICIES, FAULTS]
    if "ir" in find_kernel_specs():
        courses.append(R_COURSE)
    running = {}
    try:
        for course in courses:
            stock, engine = root / f"{course.name}-stock", root / f"{course.name}-engine"
            write_course(course, stock)
            shutil.copytree(stock, engine)
            running[course.name] = StockProcess(stock, course.assignment_names, root)
        codes = {course.name: grade_all(root / f"{course.name}-engine", course) for course in courses}
        return {
            name: GradedCourse(
                root / f"{name}-stock", root / f"{name}-engine", process.result(STOCK_SECONDS), codes[name]
            )
            for name, process in running.items()
        }
    finally:
        for process in running.values():
            process.kill()
