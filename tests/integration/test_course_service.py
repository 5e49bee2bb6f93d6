"""The course service behind a real hub: who may ask it, and what it never says."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml

from course.database import Database
from course.events import EventStore
from course.roster import Roster
from course.state import StateFolder
from tests.minimal_hub import PREFIX, MinimalHub, running_hub
from tests.quizzes import QUIZ, deploy_quiz, release_quiz, write_quiz
from tests.waiting import wait_until

pytestmark = pytest.mark.hub

LEARNERS = ("ada", "ben", "cleo", "dan", "eve", "fay")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    return deploy_quiz(tmp_path_factory.mktemp("deployment"), LEARNERS)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, state: StateFolder) -> Iterator[MinimalHub]:
    with running_hub(tmp_path_factory.mktemp("hub"), state.root) as hub:
        yield hub


def client(hub: MinimalHub, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://course{PREFIX}",
        transport=httpx.HTTPTransport(uds=str(hub.socket)),
        headers={"Authorization": f"token {token}"},
        timeout=30,
    )


def answer(question: str, value: Any) -> dict[str, Any]:
    return {"event_id": str(uuid4()), "question": question, "answer": value}


def test_health_needs_no_token_and_says_nothing_else(hub: MinimalHub) -> None:
    reply = httpx.get(hub.service_url + "health")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["api/quizzes/tables", "api/quizzes/no-such-quiz", "no-such-page"])
def test_without_a_token_that_the_hub_knows_every_path_is_refused(hub: MinimalHub, path: str) -> None:
    for headers in ({}, {"Authorization": "token forged"}, {"Cookie": "service-course=forged"}):
        reply = httpx.get(hub.service_url + path, headers=headers)
        assert reply.status_code == 403
        assert "sign in" in reply.json()["next_step"].lower()


def test_a_token_for_something_else_is_refused(hub: MinimalHub) -> None:
    with client(hub, hub.token("ada", ["users:activity!user"])) as ada:
        assert ada.get("api/quizzes/tables").status_code == 403


def test_who_is_not_in_the_roster_is_refused(hub: MinimalHub) -> None:
    with client(hub, hub.token("mallory")) as mallory:
        assert mallory.get("api/quizzes/tables").status_code == 403


def test_a_removed_member_is_out_at_the_next_request(hub: MinimalHub, state: StateFolder) -> None:
    database = Database(state.database_url)
    with client(hub, hub.token("fay")) as fay:
        assert fay.get("api/quizzes/tables").status_code == 200
        Roster(database).remove("fay")
        assert fay.get("api/quizzes/tables").status_code == 403
    database.close()


def test_a_token_that_the_hub_ended_is_refused_within_a_minute(hub: MinimalHub) -> None:
    with client(hub, hub.token("ben")) as ben:
        assert ben.get("api/quizzes/tables").status_code == 200
        hub.end_tokens("ben")
        wait_until(lambda: ben.get("api/quizzes/tables").status_code == 403, seconds=60)


def test_an_answer_is_recorded_for_the_tokens_owner_and_a_retry_once(
    hub: MinimalHub, state: StateFolder
) -> None:
    sent = answer("axis", "a")
    with client(hub, hub.token("ada")) as ada:
        first = ada.post("api/quizzes/tables/answers", json=sent)
        again = ada.post("api/quizzes/tables/answers", json=sent)
        served = ada.get("api/quizzes/tables").json()
    assert first.status_code == 200
    assert again.json() == first.json() == served["questions"][0]["last"]
    database = Database(state.database_url)
    stored = EventStore(database).events(learner="ada")
    database.close()
    assert [(str(event.event_id), event.subject) for event in stored] == [(sent["event_id"], "tables/axis")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        json.dumps(answer("axis", "b") | {"learner": "ben"}).encode(),
        json.dumps(answer("axis", "b") | {"points": 1}).encode(),
        json.dumps(answer("axis", "b") | {"event_id": "1"}).encode(),
        b'{"event_id": "%s", "question": "mean", "answer": NaN}' % str(uuid4()).encode(),
        b'{"event_id": "%s", "question": "mean", "answer": 1e999}' % str(uuid4()).encode(),
    ],
)
def test_a_request_of_another_form_is_refused_with_a_reason(hub: MinimalHub, body: bytes) -> None:
    with client(hub, hub.token("ben")) as ben:
        reply = ben.post("api/quizzes/tables/answers", content=body)
        assert reply.status_code == 400
        assert reply.json()["problem"]
        assert ben.get("api/quizzes/tables").json()["questions"][0]["last"] is None


def test_a_body_over_the_limit_is_not_read(hub: MinimalHub) -> None:
    with client(hub, hub.token("ben")) as ben, pytest.raises(httpx.HTTPError):
        ben.post("api/quizzes/tables/answers", content=b"x" * 100_000).raise_for_status()


def test_a_typo_is_answered_with_the_quizzes_there_are(hub: MinimalHub) -> None:
    with client(hub, hub.token("ben")) as ben:
        reply = ben.get("api/quizzes/tabels")
    assert reply.status_code == 404
    assert "tables" in reply.json()["next_step"]


def test_a_quiz_begins_to_exist_for_learners_with_its_release(hub: MinimalHub, state: StateFolder) -> None:
    write_quiz(state.root.parent / "modules", "joins")
    with client(hub, hub.token("ben")) as ben, client(hub, hub.token("tia")) as tia:
        for reply in (
            ben.get("api/quizzes/joins"),
            ben.post("api/quizzes/joins/answers", json=answer("axis", "b")),
        ):
            assert reply.status_code == 404
            assert reply.json()["next_step"] == "The quizzes are: tables."
        assert tia.get("api/quizzes/joins").status_code == 200
        release_quiz(state, "joins")
        assert ben.get("api/quizzes/joins").status_code == 200


def test_a_cookie_writes_only_together_with_the_token_against_forged_requests(hub: MinimalHub) -> None:
    """What a page of another origin could send, cookie and all, is refused."""
    path = PREFIX + "api/quizzes/tables/answers"
    with httpx.Client(base_url=hub.url, follow_redirects=True, timeout=30) as browser:
        browser.get("/hub/login")
        sent = {"username": "tia", "password": "any", "_xsrf": xsrf_cookie(browser, "/hub/")}
        browser.post("/hub/login", data=sent)
        assert browser.get(PREFIX).url.path == PREFIX, "signed in, and back at the page that was asked for"
        assert browser.post(path, json=answer("axis", "b")).status_code == 403
        headers = {"X-XSRFToken": xsrf_cookie(browser, PREFIX)}
        assert browser.post(path, json=answer("axis", "b"), headers=headers).status_code == 200


def xsrf_cookie(browser: httpx.Client, path: str) -> str:
    return next(str(each.value) for each in browser.cookies.jar if (each.name, each.path) == ("_xsrf", path))


def test_answers_sent_at_once_never_exceed_the_attempts(hub: MinimalHub) -> None:
    token = hub.token("cleo")

    def send(_: int) -> int:
        with client(hub, token) as cleo:
            return cleo.post("api/quizzes/tables/answers", json=answer("axis", "c")).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = sorted(threads.map(send, range(8)))
    assert statuses == [200] * 2 + [409] * 6


def test_no_byte_that_a_learner_gets_holds_a_key_before_the_answer_earned_it(hub: MinimalHub) -> None:
    """Everything the service says to one learner is scanned for every feedback, in any encoding of JSON."""
    received: list[bytes] = []
    with client(hub, hub.token("dan")) as dan:
        dan.event_hooks["response"] = [
            lambda reply: received.append(reply.read() + str(reply.headers.multi_items()).encode())
        ]
        dan.get("api/quizzes/tables")
        dan.get("api/quizzes/nothing")
        dan.get("api/quizzes/tables/answers")
        dan.post("api/quizzes/tables/answers", json=answer("axis", "z"))
        dan.post("api/quizzes/tables/answers", json=answer("nothing", "a"))
        dan.post("api/quizzes/tables/answers", json=answer("missing", ["b"]))
        dan.post("api/quizzes/tables/answers", json=answer("group", "nothing"))
        dan.get("api/quizzes/tables")
    said = b"\n".join(received).decode()
    earned = {"KEY-missing-b", "KEY-group-wrong"}
    for marker in _feedback_markers():
        assert (marker in said) == (marker in earned), marker
    for secret in ('"correct"', "tolerance", "mistakes", "accept", "GROUP BY", "12.5"):
        assert secret not in said


def test_a_broken_quiz_file_is_the_trainers_matter_and_its_text_is_not_shown(
    hub: MinimalHub, state: StateFolder
) -> None:
    broken = QUIZ | {"title": "", "secret-of-the-author": 1}
    write_quiz(state.root.parent / "modules", "broken", broken)
    release_quiz(state, "broken")
    with client(hub, hub.token("eve")) as eve:
        reply = eve.get("api/quizzes/broken")
    assert reply.status_code == 500
    assert "trainer" in reply.json()["next_step"]
    assert "secret" not in reply.text
    assert "Traceback" not in reply.text


def test_what_was_acknowledged_is_there_after_a_kill(hub: MinimalHub, state: StateFolder) -> None:
    with client(hub, hub.token("eve")) as eve:
        for question, value in (("axis", "b"), ("mean", 12.5)):
            eve.post("api/quizzes/tables/answers", json=answer(question, value)).raise_for_status()
        os.kill(hub.service_pid(), signal.SIGKILL)
    database = Database(state.database_url)
    subjects = [event.subject for event in EventStore(database).events(learner="eve")]
    database.close()
    assert subjects == ["tables/axis", "tables/mean"]


def _feedback_markers() -> set[str]:
    words = yaml.safe_dump(QUIZ, allow_unicode=True, width=10_000).split()
    return {word.strip("'\":.") for word in words if word.lstrip("'\"").startswith("KEY-")}
