"""The assignments, by what they are about. Courses have a gradebook each, so they are graded at once."""

from __future__ import annotations

from tests.equality.assignments.cell_kinds import CELL_KINDS, SEVERAL_NOTEBOOKS
from tests.equality.assignments.data import ARRAYS, FILES, FRAMES, PLOTS
from tests.equality.assignments.faults import FAULTS
from tests.equality.assignments.functions import FUNCTIONS
from tests.equality.assignments.habits import (
    DATABASE,
    NO_SOLUTIONS,
    PROGRAMS,
    REPLACED_NAMES,
    TAKEN_NAMES,
    THREADS,
)
from tests.equality.assignments.notebook_code import NOTEBOOK_CODE
from tests.equality.assignments.objects import OBJECTS
from tests.equality.assignments.points import AUTOMATIC_TESTS, HASHED_TESTS, HIDDEN_TESTS, PARTIAL_CREDIT
from tests.equality.assignments.policies import POLICIES
from tests.equality.assignments.r import R_COURSE
from tests.equality.assignments.sequence import CHANGED_FILES, CHANGED_STATE
from tests.equality.assignments.state import STATE
from tests.equality.course import Course

__all__ = ["CODE", "FAULTS", "HABITS", "POINTS", "POLICIES", "R_COURSE"]

POINTS = Course(
    "points",
    (CELL_KINDS, SEVERAL_NOTEBOOKS, PARTIAL_CREDIT, HIDDEN_TESTS, HASHED_TESTS, AUTOMATIC_TESTS),
)
CODE = Course(
    "code",
    (OBJECTS, FUNCTIONS, STATE, CHANGED_STATE, CHANGED_FILES, NOTEBOOK_CODE, ARRAYS, FILES, FRAMES, PLOTS),
)
HABITS = Course("habits", (TAKEN_NAMES, REPLACED_NAMES, NO_SOLUTIONS, DATABASE, THREADS, PROGRAMS))
