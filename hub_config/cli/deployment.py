"""The deployment that a command works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from course.database import Database
from course.errors import NotFound
from course.state import StateFolder


@contextmanager
def existing_database(state: StateFolder) -> Iterator[Database]:
    """Open the database of a deployment; never make an empty one where a mistyped `--state-dir` points.

    Raises:
        NotFound: There is no deployment in that folder.
    """
    if not (state.root / "spoc.sqlite").exists():
        raise NotFound(
            f"There is no deployment in {state.root}.",
            "Start one with: spoc cohort import ROSTER.csv; or name its folder with --state-dir.",
        )
    with closing(Database(state.database_url)) as database:
        yield database
