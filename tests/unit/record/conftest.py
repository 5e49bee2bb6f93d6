"""A database, and the folder of what is handed in.

hand_in   hands in one file, for ada and `tables` unless told otherwise; returns the receipt
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from course.api import Receipt
from course.database import Database
from course.grading import GradingQueue
from course.submissions import SubmissionStore
from tests.unit.record.uploads import NOW, tar_of


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'spoc.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "submissions"


@pytest.fixture
def store(database: Database, folder: Path) -> SubmissionStore:
    return SubmissionStore(database, folder)


@pytest.fixture
def queue(database: Database) -> GradingQueue:
    return GradingQueue(database)


@pytest.fixture
def hand_in(store: SubmissionStore) -> Callable[..., Receipt]:
    def receive(learner: str = "ada", assignment: str = "tables", content: bytes = b"{}") -> Receipt:
        return store.receive(learner, assignment, tar_of(("exercises.ipynb", content)), NOW)

    return receive
