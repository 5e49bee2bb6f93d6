"""A backup of a hub that members work with at this moment has no row without its file."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from course.database import Database
from course.errors import Conflict
from course.events import EventStore
from course.state import StateFolder
from course.submissions import SubmissionStore
from hub_config.backup import back_up
from hub_config.hub_process import running_hub as running_deployment
from hub_config.restore import restore
from hub_config.runtime import free_port
from hub_config.settings import read_settings
from tests.minimal_hub import PREFIX, running_hub
from tests.quizzes import deploy_quiz
from tests.unit.record.uploads import tar_of
from tests.waiting import wait_until

pytestmark = pytest.mark.hub

LEARNERS = tuple(f"learner-{number}" for number in range(1, 4))
BACKUPS = 3


def test_a_backup_under_writes_restores_to_a_state_in_which_every_row_has_its_files(tmp_path: Path) -> None:
    state, folder = deploy_quiz(tmp_path, LEARNERS), tmp_path / "hub"
    folder.mkdir()
    acknowledged: list[str] = []
    stop = threading.Event()
    with (
        running_hub(folder, state.root) as hub,
        httpx.Client(
            base_url=f"http://course{PREFIX}", transport=httpx.HTTPTransport(uds=str(hub.socket)), timeout=60
        ) as client,
        closing(Database(state.database_url)) as database,
        ThreadPoolExecutor() as threads,
    ):
        store = SubmissionStore(database, state.submissions_dir)

        def answer(learner: str, token: str) -> None:
            while not stop.is_set():
                event = str(uuid4())
                body = {"event_id": event, "question": "axis", "answer": "b"}
                path = "api/quizzes/tables/answers"
                if client.post(path, json=body, headers={"Authorization": f"token {token}"}).is_success:
                    acknowledged.append(event)

        def hand_in(learner: str) -> None:
            for number in count():
                if stop.is_set():
                    return
                content = f"{learner} {number}".encode() * 1000
                receipt = store.receive(
                    learner, "tables", tar_of(("exercises.ipynb", content)), datetime.now(UTC)
                )
                acknowledged.append(str(receipt.submission))

        writers = [threads.submit(answer, learner, hub.token(learner)) for learner in LEARNERS]
        writers += [threads.submit(hand_in, learner) for learner in LEARNERS]
        try:
            for number in range(BACKUPS):
                enough = len(acknowledged) + 5
                wait_until(partial(has_more_than, acknowledged, enough))
                before = tuple(acknowledged)
                back_up(state, tmp_path / f"{number}.tar.gz")
                check(tmp_path / f"{number}.tar.gz", StateFolder(tmp_path / f"restored-{number}"), before)
        finally:
            stop.set()
        for writer in writers:
            writer.result()


def has_more_than(found: Sequence[str], number: int) -> bool:
    return len(found) > number


def check(backup: Path, state: StateFolder, acknowledged: tuple[str, ...]) -> None:
    """Restore; everything acknowledged before the backup began is there, and each submission is whole."""
    restore(state, backup)
    with closing(Database(state.database_url)) as database:
        store = SubmissionStore(database, state.submissions_dir)
        submissions = [each for learner in LEARNERS for each in store.of(learner)]
        events = EventStore(database).events(kind="quiz.answered")
    for submission in submissions:
        found = {
            path.name: sha256(path.read_bytes()).hexdigest()
            for path in store.files_dir(submission.id).iterdir()
        }
        assert found == {file.path: file.sha256 for file in submission.files}, submission.id
    kept = {str(each.id) for each in submissions} | {str(event.event_id) for event in events}
    assert set(acknowledged) - kept == set()


def test_a_folder_on_which_a_hub_runs_is_not_restored_to(demo_state: StateFolder, tmp_path: Path) -> None:
    backup = tmp_path / "backup.tar.gz"
    back_up(demo_state, backup)
    state = StateFolder(tmp_path / "state")
    restore(state, backup)
    settings = read_settings(state).model_copy(update={"port": free_port()})
    with running_deployment(state, settings):
        with pytest.raises(Conflict, match="already runs"):
            restore(state, backup)
        assert back_up(state, tmp_path / "again.tar.gz").left_out == ()
