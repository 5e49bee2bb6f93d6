"""The course service is killed (SIGKILL) while submissions and answers come in: what is lost, half, twice?

Each sender repeats a request that got no answer, with the same key, as a member's server does. Afterwards
every acknowledged one is looked up, and the files of every submission that can be seen are compared with its
receipt.
"""

from __future__ import annotations

import io
import os
import signal
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import httpx

from benchmarks.figures import Figure, Figures, run
from benchmarks.memory import command_line, descendants
from course.api import AnswerRequest, Receipt, Verdict
from course.database import Database
from course.events import EventStore
from course.submissions import SubmissionStore
from extensions.client import CourseClient, ServiceUnreachable
from tests.minimal_hub import MinimalHub, running_hub
from tests.quizzes import QUIZ, deploy_quiz, write_quiz
from tests.waiting import wait_until

SERVICE = "benchmarks.crashing_service"
SUBMIT_KILLS, ANSWER_KILLS, QUICK_KILLS = 200, 500, 3
LEARNERS = ("ada", "ben", "cleo", "dan")
CONTENT_BYTES = 64 * 1024
QUESTIONS, ATTEMPTS = 300, 20
LONGEST_LIFE_SECONDS = 0.25
"""A service that answers is killed within this time, at any moment of it."""
PAUSE_SECONDS = 0.02
SEED = 11

Send = Callable[[CourseClient, int, UUID], object]
"""Sends the n-th request of a learner under a key; returns what proves that it was acknowledged."""


@dataclass
class Sent:
    """What the senders of one round saw; `cut_off` counts requests that began and got no answer."""

    acknowledged: list[Any] = field(default_factory=list)
    cut_off: int = 0
    kills: int = 0


def measure(quick: bool) -> Figures:
    with tempfile.TemporaryDirectory(prefix="spoc-bench-") as name:
        folder = Path(name)
        (folder / "hub").mkdir()
        state = deploy_quiz(folder, LEARNERS)
        write_quiz(folder / "modules", quiz=_long_quiz())
        with running_hub(folder / "hub", state.root, SERVICE) as hub:
            submitted = _round(hub, QUICK_KILLS if quick else SUBMIT_KILLS, _submit)
            answered = _round(hub, QUICK_KILLS if quick else ANSWER_KILLS, _answer)
        with closing(Database(state.database_url)) as database:
            return {
                "submit_kills": Figure(submitted.kills, "kills"),
                **_submit_figures(submitted, SubmissionStore(database, state.submissions_dir)),
                "answer_kills": Figure(answered.kills, "kills"),
                **_answer_figures(answered, EventStore(database)),
            }


def _round(hub: MinimalHub, kills: int, send: Send) -> Sent:
    """Kill the service so many times, and until one mattered, while learners send request after request."""
    sent, done = Sent(), threading.Event()
    clients = [CourseClient(hub.service_url, hub.token(name)) for name in LEARNERS]
    with ThreadPoolExecutor(len(clients)) as threads:
        senders = [threads.submit(_keep_sending, client, send, sent, done) for client in clients]
        try:
            for pid in _lives(hub):
                os.kill(pid, signal.SIGKILL)
                sent.kills += 1
                if sent.kills >= kills and sent.cut_off:
                    break
        finally:
            done.set()
        for sender in senders:
            sender.result()
    return sent


def _lives(hub: MinimalHub) -> Iterator[int]:
    """Yield the process of the service, of one life after another, some time after it began to answer."""
    supervisor = next(pid for pid in descendants(hub.process.pid) if SERVICE in command_line(pid))
    choose = Random(SEED)  # noqa: S311 -- it only has to differ
    while True:
        wait_until(lambda: _answers(hub))
        time.sleep(choose.uniform(0, LONGEST_LIFE_SECONDS))
        yield next(descendants(supervisor))


def _answers(hub: MinimalHub) -> bool:
    try:
        return httpx.get(hub.service_url + "health").is_success
    except httpx.TransportError:
        return False


def _keep_sending(client: CourseClient, send: Send, sent: Sent, done: threading.Event) -> None:
    number = 0
    with client:
        while not done.is_set():
            sent.acknowledged.append(_send_until_acknowledged(client, number, send, sent))
            number += 1


def _send_until_acknowledged(client: CourseClient, number: int, send: Send, sent: Sent) -> object:
    key = uuid4()
    while True:
        try:
            return send(client, number, key)
        except ServiceUnreachable as error:
            sent.cut_off += not isinstance(error.__cause__, httpx.ConnectError)
            time.sleep(PAUSE_SECONDS)


def _submit(client: CourseClient, number: int, key: UUID) -> Receipt:
    return client.post_stream("api/assignments/tables/submissions", [_archive(number)], Receipt, key)


def _answer(client: CourseClient, number: int, key: UUID) -> UUID:
    request = AnswerRequest(event_id=key, question=f"q{number % QUESTIONS}", answer=float(number))
    client.post("api/quizzes/tables/answers", request, Verdict)
    return key


def _archive(number: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in (
            ("exercises.ipynb", str(number).encode()),
            ("data/a.csv", b"1," * (CONTENT_BYTES // 2)),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _long_quiz() -> dict[str, Any]:
    question = next(each for each in QUIZ["questions"] if each["type"] == "numeric")
    questions = [question | {"id": f"q{number}", "answer": -1} for number in range(QUESTIONS)]
    return QUIZ | {"attempts": ATTEMPTS, "questions": questions}


def _submit_figures(sent: Sent, store: SubmissionStore) -> Figures:
    visible = {found.id: found.receipt() for name in LEARNERS for found in store.of(name)}
    whole = {number for number in visible if not store.differences(number)}
    kept = sum(
        visible.get(receipt.submission) == receipt and receipt.submission in whole
        for receipt in sent.acknowledged
    )
    return {
        "submissions_cut_off": Figure(sent.cut_off, "requests"),
        "submissions_acknowledged": Figure(len(sent.acknowledged), "submissions"),
        "acknowledged_submissions_kept": _share(kept, len(sent.acknowledged)),
        "visible_submissions_whole": _share(len(whole), len(visible)),
        "submissions_counted_once": _share(len(sent.acknowledged), len(visible)),
    }


def _answer_figures(sent: Sent, events: EventStore) -> Figures:
    stored = [event.event_id for event in events.events(kind="quiz.answered")]
    return {
        "answers_cut_off": Figure(sent.cut_off, "requests"),
        "answers_acknowledged": Figure(len(sent.acknowledged), "answers"),
        "acknowledged_answers_kept": _share(
            len(set(sent.acknowledged) & set(stored)), len(sent.acknowledged)
        ),
        "answers_counted_once": _share(len(sent.acknowledged), len(stored)),
    }


def _share(part: int, whole: int) -> Figure:
    return Figure(100 * part / whole, "%", ">= 100")


if __name__ == "__main__":
    run(measure)
