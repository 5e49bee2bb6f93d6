"""The event record stores each event once, keeps it, and gives events back in order of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from course.database import Database
from course.errors import Conflict
from course.events import Event, EventStore

pytestmark = pytest.mark.quick

NINE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> EventStore:
    return EventStore(Database(f"sqlite:///{tmp_path / 'spoc.sqlite'}"))


def event(learner: str = "ada", kind: str = "quiz.answered", minutes: int = 0) -> Event:
    occurred_at = NINE + timedelta(minutes=minutes)
    return Event(uuid4(), learner, kind, occurred_at, "tables/axis", {"points": 1.5, "right": True})


def test_an_event_comes_back_as_it_was_recorded(store: EventStore) -> None:
    recorded = event()
    assert store.record(recorded)
    assert store.events() == (recorded,)


def test_a_retried_event_is_stored_once(store: EventStore) -> None:
    first = event()
    assert store.record(first)
    assert not store.record(replace(first, occurred_at=NINE + timedelta(hours=1)))
    assert store.events() == (first,)


def test_an_event_id_cannot_be_taken_for_another_event(store: EventStore) -> None:
    first = event()
    store.record(first)
    for other in (replace(first, learner="x"), replace(first, kind="x"), replace(first, subject="x")):
        with pytest.raises(Conflict):
            store.record(other)
    assert store.events() == (first,)


def test_events_are_told_oldest_first_and_only_those_asked_for(store: EventStore) -> None:
    late, early, submitted, others = (
        event(minutes=9),
        event(minutes=1),
        event(kind="assignment.submitted", minutes=5),
        event("ben", minutes=3),
    )
    for each in (late, early, submitted, others):
        store.record(each)
    assert store.events(learner="ada") == (early, submitted, late)
    assert store.events(kind="quiz.answered") == (early, others, late)
    assert store.events(learner="ada", until=NINE + timedelta(minutes=5)) == (early, submitted)


def test_what_a_failed_transaction_appended_is_not_there(store: EventStore) -> None:
    with pytest.raises(RuntimeError), store.transaction() as log:
        log.append(event())
        raise RuntimeError("the disk is full")
    assert store.events() == ()
