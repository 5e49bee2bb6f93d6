"""Rows "Exchange" of the attacks: another's name, another time, another content afterwards.

The other rows: a partial upload in `test_exchange` and `record/test_receiving`; a kill at every step and the
same submission twice in `record/test_durability`; a full disk in `test_full_disk`; two trainers at once in
`authoring/test_release` and `record/test_grading_queue`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import httpx
import pytest
from nbgrader.api import Gradebook

from course.api import Receipt
from course.database import Database
from course.events import EventStore
from course.submissions import SubmissionStore
from graders.worker import Grader
from hub_config.settings import SAMPLE_MODULES_DIR, Settings, write_settings
from tests.handing_in import MODULE, Deploy, Deployment, tar_of
from tests.minimal_hub import MinimalHub, running_hub

pytestmark = pytest.mark.hub

PATH = f"api/assignments/{MODULE}/submissions"


@pytest.fixture(scope="module")
def deployment(deploy: Deploy) -> Deployment:
    deployment = deploy("ada,Ada,,learner", "ben,Ben,,learner", "tia,Tia,,trainer")
    write_settings(deployment.state, Settings(modules_dir=SAMPLE_MODULES_DIR))
    return deployment


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, deployment: Deployment) -> Iterator[MinimalHub]:
    with running_hub(tmp_path_factory.mktemp("hub"), deployment.state.root) as hub:
        yield hub


@pytest.fixture(scope="module")
def ada(hub: MinimalHub) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"token {hub.token('ada')}"}
    with httpx.Client(base_url=hub.service_url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def database(deployment: Deployment) -> Iterator[Database]:
    with closing(Database(deployment.state.database_url)) as database:
        yield database


@pytest.fixture(scope="module")
def store(database: Database, deployment: Deployment) -> SubmissionStore:
    return SubmissionStore(database, deployment.state.submissions_dir)


def test_neither_a_name_nor_a_time_that_is_sent_along_counts(
    ada: httpx.Client, deployment: Deployment, database: Database, store: SubmissionStore
) -> None:
    forged = deployment.state.root.parent / "forged"
    for path in (path for path in deployment.release_dir.rglob("*") if path.is_file()):
        copy = forged / path.relative_to(deployment.release_dir)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (forged / "timestamp.txt").write_text("2000-01-01 00:00:00 UTC")
    (forged / "submission_secret.txt").write_text("0" * 128)
    headers = {
        "X-Forwarded-User": "ben",
        "Remote-User": "ben",
        "X-JupyterHub-User": "ben",
        "Date": "Sat, 01 Jan 2000 00:00:00 GMT",
        "X-Timestamp": "2000-01-01",
    }
    options = {"learner": "ben", "user": "ben", "student_id": "ben", "received_at": "2000-01-01T00:00:00Z"}
    before = datetime.now(UTC)
    reply = ada.post(PATH, content=tar_of(forged).getvalue(), headers=headers, params=options)
    receipt = Receipt.model_validate_json(reply.raise_for_status().content)
    assert before <= receipt.received_at <= datetime.now(UTC)
    assert (store.get(receipt.submission).learner, store.of("ben")) == ("ada", ())
    (event,) = EventStore(database).events(kind="assignment.submitted")
    assert (event.learner, event.occurred_at) == ("ada", receipt.received_at)
    grader = Grader(deployment.state, SAMPLE_MODULES_DIR, "en")
    with closing(grader), grader.alone():
        grader.work_off()
    with Gradebook(deployment.state.gradebook_url) as gradebook:
        assert [student.id for student in gradebook.students] == ["ada"]
        graded_as_of = gradebook.find_submission(MODULE, "ada").timestamp
    assert graded_as_of == receipt.received_at.astimezone(UTC).replace(tzinfo=None)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
@pytest.mark.parametrize("part", ["", "/files.zip", "/files/exercises.ipynb", "/feedback"])
def test_nothing_changes_a_submission_afterwards(
    ada: httpx.Client, store: SubmissionStore, deployment: Deployment, method: str, part: str
) -> None:
    found = next(iter(store.of("ada", MODULE)), None)
    if found is None:
        ada.post(PATH, content=tar_of(deployment.release_dir).getvalue()).raise_for_status()
        found = store.of("ada", MODULE)[0]
    reply = ada.request(method, f"api/submissions/{found.id}{part}", content=b"forged")
    assert reply.status_code in (403, 404, 405)
    assert store.differences(found.id) == ()
    folder = store.files_dir(found.id)
    modes = {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
    assert modes == {0o444}
    assert folder.parent.stat().st_mode & 0o077 == 0, "nobody else gets there"


def test_the_key_of_another_learner_gives_nothing_of_that_learner(
    ada: httpx.Client, hub: MinimalHub, deployment: Deployment
) -> None:
    content = tar_of(deployment.release_dir).getvalue()
    key = {"Idempotency-Key": "6f1d3f0e-6c6c-4c39-9d2c-0f6e0c3e9a11"}
    mine = Receipt.model_validate_json(ada.post(PATH, content=content, headers=key).content)
    again = Receipt.model_validate_json(ada.post(PATH, content=content, headers=key).content)
    assert again == mine
    ben = {"Authorization": f"token {hub.token('ben')}"}
    other = Receipt.model_validate_json(
        httpx.post(hub.service_url + PATH, content=content, headers={**key, **ben}, timeout=60).content
    )
    assert other.submission != mine.submission
    refused = ada.post(PATH, content=content, headers={"Idempotency-Key": "../../etc"})
    assert refused.status_code == 400
