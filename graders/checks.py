"""The checks of `course.checks` for test cells of any nbgrader course: `from graders.checks import check`."""

from course.checks import Expectation, approx, call, check, figure, matches, raises, score, style, table

__all__ = ["Expectation", "approx", "call", "check", "figure", "matches", "raises", "score", "style", "table"]
