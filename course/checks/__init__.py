"""Checks for test cells: what is wrong in words, and part of the points. See `docs/author.md`.

`check` compares what a learner's code made with data or an expectation; `score` adds up points. In a
notebook of the course they are `spoc.check` and so on, in any nbgrader course `from graders.checks import
check`. Nothing here imports Jupyter, NumPy, pandas or matplotlib: their values are known once the
notebook has imported them.
"""

from course.checks.calls import call, raises
from course.checks.checking import check, score
from course.checks.expectation import Expectation, approx, matches
from course.checks.figures import figure
from course.checks.source_code import style
from course.checks.tables import table

__all__ = ["Expectation", "approx", "call", "check", "figure", "matches", "raises", "score", "style", "table"]
