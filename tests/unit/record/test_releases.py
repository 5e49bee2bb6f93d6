"""What is released is renewed and found."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from course.database import Database
from course.errors import NotFound
from course.releases import ReleaseStore
from tests.unit.record.uploads import NOW

pytestmark = pytest.mark.quick


def test_a_second_release_renews_what_learners_see_and_keeps_the_order(database: Database) -> None:
    store = ReleaseStore(database)
    store.release("tables", title="Tables", notebooks=["lesson"], due_at=None, now=NOW)
    store.release("charts", title="Charts", notebooks=["lesson"], due_at=NOW, now=NOW)
    renewed = store.release(
        "tables", title="Tables 2", notebooks=["lesson", "exercises"], due_at=NOW, now=datetime.now(UTC)
    )
    assert [found.assignment for found in store.released()] == ["tables", "charts"]
    assert (renewed.title, renewed.notebooks) == ("Tables 2", ("lesson", "exercises"))
    assert (renewed.due_at, renewed.released_at) == (NOW, NOW)


def test_an_assignment_that_is_not_released_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        ReleaseStore(database).get("tables")
