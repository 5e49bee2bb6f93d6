"""A copy of a gradebook to rehearse on: the same code writes there, and nobody's points change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import MetaData, create_engine, inspect, make_url, select

from course.errors import NotFound


@contextmanager
def copied_gradebook(url: str) -> Iterator[str]:
    """Give the address of a copy, as the gradebook is at this moment; it is gone afterwards.

    Raises:
        NotFound: There is no gradebook.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).is_file():
        raise NotFound(f"There is no gradebook {parsed.database}.")
    with TemporaryDirectory(prefix="spoc-rehearsal-") as folder:
        copy = f"sqlite:///{Path(folder, 'gradebook.db')}"
        _copy(url, copy)
        yield copy


def _copy(url: str, copy: str) -> None:
    """Copy every table, whatever kind of database it is in; whoever writes there meanwhile is not held up."""
    there, here = create_engine(url), create_engine(copy)
    try:
        tables = MetaData()
        with there.connect() as source, here.begin() as target:
            # As it is there, with what others have added to nbgrader's own.
            tables.reflect(source, only=inspect(source).get_table_names())
            tables.create_all(target)
            for table in tables.sorted_tables:
                rows = [row._asdict() for row in source.execute(select(table))]
                if rows:
                    target.execute(table.insert(), rows)
    finally:
        there.dispose()
        here.dispose()
