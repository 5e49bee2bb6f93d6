"""A full disk: who sends something hears why it was not stored, and what was acknowledged stays."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from course.api import Receipt
from course.database import Database
from course.events import EventStore
from course.state import StateFolder
from course.submissions import SubmissionStore
from tests.minimal_hub import MinimalHub, running_hub
from tests.quizzes import QUIZ, deploy_quiz
from tests.unit.record.uploads import tar_of

pytestmark = [
    pytest.mark.hub,
    pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk, which only root may"),
]

DISK_BYTES = 16 * 1024 * 1024
CONTENT_BYTES = 1024 * 1024
LEARNERS = tuple(f"learner-{number}" for number in range(12))


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("disk")
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder)]
    mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"this machine lets root mount nothing: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def state(disk: Path) -> StateFolder:
    return deploy_quiz(disk, LEARNERS)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, state: StateFolder) -> Iterator[MinimalHub]:
    with running_hub(tmp_path_factory.mktemp("hub"), state.root) as hub:
        yield hub


@contextmanager
def full(disk: Path, left_bytes: int = 0) -> Iterator[None]:
    """Leave so little space on the disk."""
    ballast = disk / "ballast"
    found = os.statvfs(disk)
    try:
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, found.f_bavail * found.f_frsize - left_bytes)
        yield
    finally:
        ballast.unlink()


def client(hub: MinimalHub, name: str) -> httpx.Client:
    headers = {"Authorization": f"token {hub.token(name)}"}
    return httpx.Client(base_url=hub.service_url, headers=headers, timeout=60)


def submit(learner: httpx.Client, content: bytes = b"x" * CONTENT_BYTES) -> httpx.Response:
    archive = tar_of(("exercises.ipynb", content)).getvalue()
    return learner.post("api/assignments/tables/submissions", content=archive)


def answer(question: dict[str, Any]) -> dict[str, Any]:
    value = {"numeric": 1.0, "short-text": "wrong", "multiple-choice": ["b"]}.get(question["type"], "a")
    return {"event_id": str(uuid4()), "question": question["id"], "answer": value}


@pytest.mark.parametrize("left_bytes", [0, CONTENT_BYTES // 3, CONTENT_BYTES + CONTENT_BYTES // 2])
def test_a_submission_that_finds_no_space_is_refused_and_leaves_nothing(
    hub: MinimalHub, state: StateFolder, disk: Path, left_bytes: int
) -> None:
    with client(hub, "learner-0") as learner:
        before = Receipt.model_validate_json(submit(learner, b"small").raise_for_status().content)
        with full(disk, left_bytes):
            refused = submit(learner)
        assert refused.status_code == 507
        assert refused.json()["problem"] == "The course's disk is full: nothing was stored."
        after = Receipt.model_validate_json(submit(learner).raise_for_status().content)
    with closing(Database(state.database_url)) as database:
        store = SubmissionStore(database, state.submissions_dir)
        assert [found.id for found in store.of("learner-0")][:2] == [after.submission, before.submission]
        known = [str(found.id) for found in store.of("learner-0")]
        for receipt in (before, after):
            assert store.get(receipt.submission).receipt() == receipt
            assert store.differences(receipt.submission) == ()
    assert {path.name for path in state.submissions_dir.iterdir()} <= {*known, ".incoming"}
    assert list(state.submissions_dir.glob(".incoming/*")) == []


def test_answers_that_find_no_space_are_refused_and_those_acknowledged_are_kept(
    hub: MinimalHub, state: StateFolder, disk: Path
) -> None:
    acknowledged: set[str] = set()
    refused: list[httpx.Response] = []
    # Their sessions are opened before: what the hub needs on its own disk is not the question.
    learners = [client(hub, name) for name in LEARNERS]
    for learner in learners:
        learner.get("api/quizzes/tables").raise_for_status()
    with full(disk):
        for learner in learners:
            for question in QUIZ["questions"]:
                sent = answer(question)
                reply = learner.post("api/quizzes/tables/answers", json=sent)
                if reply.is_success:
                    acknowledged.add(sent["event_id"])
                else:
                    refused.append(reply)
    assert refused, "the disk was full"
    assert {reply.status_code for reply in refused} == {507}
    again = answer(QUIZ["questions"][0])
    learners[-1].post("api/quizzes/tables/answers", json=again).raise_for_status()
    for learner in learners:
        learner.close()
    with closing(Database(state.database_url)) as database:
        stored = {str(event.event_id) for event in EventStore(database).events(kind="quiz.answered")}
    assert stored == {*acknowledged, again["event_id"]}
