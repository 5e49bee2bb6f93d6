"""The course service's numbers: true, complete, about nobody, and for the operator alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from course.database import Database
from course.events import Event, EventStore
from course.grading import GradingQueue
from course.state import StateFolder
from course.submissions import SubmissionStore
from hub_config.runtime import free_port
from hub_config.secrets import METRICS_SERVICE, secret
from hub_config.service.app import listen, make_app, open_services
from tests.quizzes import deploy_quiz
from tests.unit.record.uploads import tar_of

pytestmark = pytest.mark.quick

PREFIX = "/services/course/"
LONG_AGO = timedelta(hours=1)


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """`ada` answered three times; her submission is graded, and that of `ben` waits for an hour."""
    state = deploy_quiz(tmp_path, ["ada", "ben"])
    now = datetime.now(UTC)
    with closing(Database(state.database_url)) as database:
        for _ in range(3):
            EventStore(database).record(Event(uuid4(), "ada", "quiz.answered", now, "tables/axis", {}))
        store, queue = SubmissionStore(database, state.submissions_dir), GradingQueue(database)
        store.receive("ada", "tables", tar_of(("exercises.ipynb", b"{}")), now - LONG_AGO)
        graded = queue.claim(now)
        assert graded is not None
        queue.mark_graded(graded.id, points=1, max_points=2, feedback_at=now)
        store.receive("ben", "tables", tar_of(("exercises.ipynb", b"{}")), now - LONG_AGO)
    return state


@pytest.fixture
async def client(state: StateFolder) -> AsyncIterator[httpx.AsyncClient]:
    """Someone with the operator's token at a running service."""
    services, url = open_services(state), f"http://127.0.0.1:{free_port()}"
    app = make_app(services, PREFIX)
    server = listen(app, url, None)
    headers = {"Authorization": f"Bearer {secret(state, METRICS_SERVICE)}"}
    async with httpx.AsyncClient(base_url=url + PREFIX, headers=headers) as client:
        yield client
    server.stop()
    await server.close_all_connections()
    app.settings["threads"].shutdown()
    services.database.close()


async def numbers(client: httpx.AsyncClient) -> dict[str, float]:
    """Return every sample by its name with its labels in the order of their names."""
    reply = (await client.get("metrics")).raise_for_status()
    return {
        " ".join([sample.name, *(sample.labels[name] for name in sorted(sample.labels))]): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


async def test_numbers_tell_what_the_record_holds(client: httpx.AsyncClient) -> None:
    found = await numbers(client)
    assert {
        state: found[f"spoc_submissions {state}"] for state in ("received", "grading", "graded", "failed")
    } == {
        "received": 1,
        "grading": 0,
        "graded": 1,
        "failed": 0,
    }
    assert found["spoc_grading_queue_length"] == 1
    assert LONG_AGO.total_seconds() <= found["spoc_grading_queue_age_seconds"] < 2 * LONG_AGO.total_seconds()
    assert found["spoc_events_total quiz.answered"] == 3
    assert found["spoc_disk_free_bytes"] > 0


async def test_what_is_graded_again_does_not_count_as_waiting_since_it_was_handed_in(
    client: httpx.AsyncClient, state: StateFolder
) -> None:
    with closing(Database(state.database_url)) as database:
        queue, store = GradingQueue(database), SubmissionStore(database, state.submissions_dir)
        waiting = queue.claim(datetime.now(UTC))
        assert waiting is not None
        queue.mark_failed(waiting.id, "broken")
        queue.grade_again(store.of("ada")[0].id)
    found = await numbers(client)
    assert (found["spoc_grading_queue_length"], found["spoc_grading_queue_age_seconds"]) == (1, 0)


async def test_each_request_is_counted_by_handler_method_and_status(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        (await client.get("health")).raise_for_status()
    await client.request("ODDITY", "health")
    found = await numbers(client)
    assert found["spoc_request_duration_seconds_count HealthHandler GET 200"] == 2
    assert found["spoc_request_duration_seconds_count HealthHandler other 405"] == 1
    assert found["spoc_request_duration_seconds_bucket HealthHandler +Inf GET 200"] == 2


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer forged", "token forged", "Basic {token}", "{token}"])
async def test_numbers_are_for_who_has_the_token(
    client: httpx.AsyncClient, state: StateFolder, sent: str
) -> None:
    header = sent.format(token=secret(state, METRICS_SERVICE))
    reply = await client.get("metrics", headers={"Authorization": header})
    assert reply.status_code == 403
    assert "spoc_" not in reply.text


async def test_no_number_names_a_person_or_their_work(client: httpx.AsyncClient, state: StateFolder) -> None:
    await client.get("health?learner=ada")
    text = (await client.get("metrics")).text
    with closing(Database(state.database_url)) as database:
        (work,) = SubmissionStore(database, state.submissions_dir).of("ada")
    for word in ("ada", "ben", "tia", "example.com", "axis", str(work.id)):
        assert word not in text.lower(), word
