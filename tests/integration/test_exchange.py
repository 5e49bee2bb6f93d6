"""nbgrader's own Assignment List and formgrader over a real hub, the course service and the worker."""

from __future__ import annotations

import io
import json
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory
from nbgrader.server_extensions.assignment_list.handlers import AssignmentList
from traitlets.config import Config

from course.api import AssignmentList as Listed
from course.api import FeedbackDocument, Receipt, SubmissionStatus
from course.errors import Conflict, CourseError
from extensions.client import CourseClient, ServiceUnreachable
from extensions.exchange import configure
from extensions.exchange.folder import files_of, packed
from extensions.exchange.submitting import send
from extensions.formgrader import autograde, release_feedback, told
from hub_config.member_server import CONFIG_DIR
from hub_config.settings import SAMPLE_MODULES_DIR, Settings, write_settings
from tests.handing_in import EXERCISE, MODULE, Deploy, Deployment, tar_of
from tests.member_home import become
from tests.minimal_hub import MinimalHub, running_hub
from tests.unit.record import uploads
from tests.waiting import wait_until

pytestmark = pytest.mark.hub

LEARNERS = ("ada", "ben")


@pytest.fixture(scope="module")
def deployment(deploy: Deploy) -> Deployment:
    members = [f"{name},{name.title()},,learner" for name in LEARNERS]
    deployment = deploy(*members, "tia,Tia,,trainer")
    write_settings(deployment.state, Settings(modules_dir=SAMPLE_MODULES_DIR))
    return deployment


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, deployment: Deployment) -> Iterator[MinimalHub]:
    with running_hub(tmp_path_factory.mktemp("hub"), deployment.state.root) as hub:
        yield hub


@pytest.fixture(scope="module")
def worker(deployment: Deployment) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "graders.worker", "--state-dir", str(deployment.state.root)]
    with subprocess.Popen([*command, "--modules-dir", str(SAMPLE_MODULES_DIR)]) as process:
        yield process
        process.terminate()
        assert process.wait(20) == 0


@pytest.fixture
def home(tmp_path: Path, hub: MinimalHub, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ada's home; the process looks like her server."""
    return become("ada", tmp_path, hub, deployment, monkeypatch)


def assignment_list(home: Path) -> AssignmentList:
    listed = AssignmentList()
    listed.root_dir = str(home)
    return listed


def course_id() -> str:
    with connected() as client:
        return client.get("api/assignments", Listed).course


def connected() -> CourseClient:
    client = CourseClient.from_environment()
    assert client is not None
    return client


def test_the_assignment_list_fetches_submits_and_fetches_feedback(
    home: Path, worker: subprocess.Popen[bytes]
) -> None:
    course = course_id()
    listed = assignment_list(home)
    (released,) = listed.list_assignments(course)["value"]
    assert (released["assignment_id"], released["status"]) == (MODULE, "released")
    assert [notebook["notebook_id"] for notebook in released["notebooks"]] == ["lesson", "exercises"]

    assert listed.fetch_assignment(course, MODULE)["success"]
    (fetched,) = listed.list_assignments(course)["value"]
    assert (fetched["status"], fetched["path"]) == ("fetched", MODULE)
    assert (home / MODULE / "data").is_dir()

    assert listed.submit_assignment(course, MODULE)["success"]
    _, submitted = listed.list_assignments(course)["value"]
    (submission,) = submitted["submissions"]
    assert (submitted["status"], submission["has_local_feedback"]) == ("submitted", False)

    wait_until(
        lambda: listed.list_assignments(course)["value"][1]["submissions"][0]["has_exchange_feedback"], 120
    )
    assert listed.fetch_feedback(course, MODULE)["success"]
    (submission,) = listed.list_assignments(course)["value"][1]["submissions"]
    assert (submission["has_local_feedback"], submission["feedback_updated"]) == (True, False)
    page = home / submission["local_feedback_path"] / "exercises.html"
    assert "You have not written this yet." in page.read_text()
    json.dumps(listed.list_assignments(course))


def test_missing_files_are_fetched_and_own_work_is_kept(home: Path) -> None:
    course, listed = course_id(), assignment_list(home)
    assert listed.fetch_assignment(course, MODULE)["success"]
    (home / MODULE / "exercises.ipynb").write_text("mine")
    (home / MODULE / "lesson.ipynb").unlink()
    assert listed.fetch_assignment(course, MODULE)["success"]
    assert (home / MODULE / "exercises.ipynb").read_text() == "mine"
    assert (home / MODULE / "lesson.ipynb").is_file()


def test_links_checkpoints_and_feedback_stay_at_home(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "work"
    for name in (".ipynb_checkpoints/a.ipynb", "feedback/old/a.html", "data/a.csv", "a.ipynb", ".hidden"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "linked").symlink_to(tmp_path)
    assert [str(path.relative_to(folder)) for path in files_of(folder)] == ["a.ipynb", "data/a.csv"]
    with tarfile.open(fileobj=io.BytesIO(b"".join(packed(folder)))) as tar:
        assert tar.getnames() == ["a.ipynb", "data/a.csv"]


def test_nobody_sees_anothers_submission(
    home: Path, tmp_path: Path, hub: MinimalHub, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"api/assignments/{MODULE}/submissions"
    with connected() as ada:
        mine = ada.post_stream(path, [tar_of(deployment.release_dir).getvalue()], Receipt)
        assert ada.get(f"api/submissions/{mine.submission}", SubmissionStatus).learner == "ada"
    become("ben", tmp_path, hub, deployment, monkeypatch)
    with connected() as ben:
        for page in ("", "/feedback", "/feedback/exercises.html"):
            with pytest.raises(CourseError, match="There is no submission"):
                ben.get_text(f"api/submissions/{mine.submission}{page}")
        assert str(mine.submission) not in ben.get_text("api/assignments")
        for trainers in (path, f"api/assignments/{MODULE}/grade/ada", f"api/assignments/{MODULE}/feedback"):
            with pytest.raises(CourseError, match="Only trainers"):
                ben.get_text(trainers) if trainers == path else ben.post(trainers, None, SubmissionStatus)


@pytest.mark.parametrize("content", [b"", b"no tar", b"\0" * 1024])
def test_what_is_no_submission_is_refused_and_leaves_nothing(
    home: Path, deployment: Deployment, content: bytes
) -> None:
    before = sorted(path.name for path in deployment.state.submissions_dir.glob("*-*"))
    with connected() as ada, pytest.raises(CourseError):
        ada.post_stream(f"api/assignments/{MODULE}/submissions", [content], Receipt)
    assert sorted(path.name for path in deployment.state.submissions_dir.glob("*-*")) == before


def test_too_much_is_refused_with_its_limit(home: Path) -> None:
    with connected() as ada, pytest.raises(CourseError, match="50 MB"):
        chunks = (b"x" * 1_000_000 for _ in range(60))
        ada.post_stream(f"api/assignments/{MODULE}/submissions", chunks, Receipt)


def test_an_upload_that_the_platform_failed_locks_nobody_out(home: Path, deployment: Deployment) -> None:
    folder = deployment.state.submissions_dir
    aside = folder.with_name("aside")
    archive = tar_of(deployment.release_dir).getvalue()
    path = f"api/assignments/{MODULE}/submissions"
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.rename(aside)
    folder.write_text("no folder")
    try:
        with connected() as ada, pytest.raises(ServiceUnreachable):
            ada.post_stream(path, [archive], Receipt)
    finally:
        folder.unlink()
        aside.rename(folder)
    with connected() as ada:
        assert ada.post_stream(path, [archive], Receipt).files


def test_an_upload_that_is_cut_off_locks_nobody_out(
    home: Path, hub: MinimalHub, deployment: Deployment
) -> None:
    address = urlsplit(hub.service_url)
    path = f"api/assignments/{MODULE}/submissions"
    before = set(deployment.state.submissions_dir.glob("*-*"))
    request = f"POST {address.path}{path} HTTP/1.1\r\nHost: course\r\nContent-Length: 1000\r\n"
    request += f"Authorization: token {hub.token('ada')}\r\n\r\n"
    for part in (b"", b"begun"):
        with socket.create_connection((address.hostname or "", address.port or 80)) as connection:
            connection.sendall(request.encode() + part)

    def is_received() -> bool:
        try:
            with connected() as ada:
                return bool(ada.post_stream(path, [tar_of(deployment.release_dir).getvalue()], Receipt).files)
        except Conflict:
            return False

    wait_until(is_received)
    assert len(set(deployment.state.submissions_dir.glob("*-*")) - before) == 1, "the whole one alone"


def test_a_submission_is_sent_again_until_its_receipt_arrives_and_counts_once(
    home: Path, hub: MinimalHub, deployment: Deployment
) -> None:
    shutil.copytree(deployment.release_dir, home / MODULE)
    with connected() as ada:
        before = len(own_submissions(ada))
        receipt = send(_Losing(ada), MODULE, home / MODULE)
        (newest, *earlier) = own_submissions(ada)
    assert (newest.submission, len(earlier)) == (receipt.submission, before)


class _Losing(CourseClient):
    """A connection on which the first reply is lost, after the service has stored what was sent."""

    def __init__(self, real: CourseClient) -> None:
        self._real, self._lost = real, False

    def post_stream(self, *request: Any, **more: Any) -> Any:
        reply = self._real.post_stream(*request, **more)
        if self._lost:
            return reply
        self._lost = True
        raise ServiceUnreachable("The reply was lost.")


def own_submissions(client: CourseClient) -> tuple[SubmissionStatus, ...]:
    (listed,) = client.get("api/assignments", Listed).assignments
    return listed.submissions


def test_whoever_handed_in_and_trainers_get_every_submission_back_as_it_was_sent(
    home: Path, hub: MinimalHub
) -> None:
    contents = (b"first", b"second")
    with connected() as ada:
        receipts = [
            ada.post_stream(f"api/assignments/{MODULE}/submissions", [one_file(each)], Receipt)
            for each in contents
        ]
    for receipt, content in zip(receipts, contents, strict=True):
        for name, status in (("ada", 200), ("tia", 200), ("ben", 404)):
            reply = asked(hub, name, f"api/submissions/{receipt.submission}/files.zip")
            assert reply.status_code == status
            if status == 200:
                with zipfile.ZipFile(io.BytesIO(reply.content)) as packed:
                    assert [(each, packed.read(each)) for each in packed.namelist()] == [
                        ("data/exercises.ipynb", content)
                    ]
                assert reply.headers["Content-Disposition"].startswith(f'attachment; filename="{MODULE}-ada-')
    history = f"api/assignments/{MODULE}/submissions/ada"
    newest = [each["submission"] for each in asked(hub, "tia", history).json()["submissions"][:2]]
    assert newest == [str(receipt.submission) for receipt in reversed(receipts)]
    assert asked(hub, "ada", history).status_code == 403


def asked(hub: MinimalHub, name: str, path: str) -> httpx.Response:
    return httpx.get(hub.service_url + path, headers={"Authorization": f"token {hub.token(name)}"})


def one_file(content: bytes) -> bytes:
    return uploads.tar_of(("data/exercises.ipynb", content)).getvalue()


def test_an_assignment_that_is_not_released_takes_no_submission(home: Path) -> None:
    with connected() as ada, pytest.raises(CourseError, match="no released assignment"):
        ada.post_stream("api/assignments/charts/submissions", [b"x"], Receipt)


def test_a_feedback_page_may_do_nothing(
    home: Path, hub: MinimalHub, deployment: Deployment, worker: subprocess.Popen[bytes]
) -> None:
    with connected() as ada:
        mine = ada.post_stream(
            f"api/assignments/{MODULE}/submissions", [tar_of(deployment.source_dir).getvalue()], Receipt
        )
        path = f"api/submissions/{mine.submission}"
        wait_until(lambda: ada.get(path, SubmissionStatus).state == "graded", 120)
        document = ada.get(f"{path}/feedback", FeedbackDocument)
    assert {cell.cell: cell.points for cell in document.cells}[f"{EXERCISE}-tests"] == 2
    reply = httpx.get(
        f"{hub.service_url}{path}/feedback/exercises.html",
        headers={"Authorization": f"token {hub.token('ada')}"},
    )
    assert reply.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "<script" not in reply.text


def hand_in_the_solution(deployment: Deployment) -> None:
    with connected() as member:
        content = [tar_of(deployment.source_dir).getvalue()]
        member.post_stream(f"api/assignments/{MODULE}/submissions", content, Receipt)


def test_a_trainer_grades_again_and_releases_marks_from_formgrader(
    tmp_path: Path,
    hub: MinimalHub,
    deployment: Deployment,
    worker: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    become("ada", tmp_path, hub, deployment, monkeypatch)
    hand_in_the_solution(deployment)
    assert told(autograde(MODULE, "ada"))["error"].startswith("Only trainers")
    become("tia", tmp_path, hub, deployment, monkeypatch)
    assert told(autograde(MODULE, "ada")) == {"success": True, "log": "ada: 17 of 31 points"}
    assert not told(autograde(MODULE, "ben"))["success"]
    assert told(release_feedback(MODULE))["log"] == "Released to: ada"
    assert told(release_feedback(MODULE, "ada"))["success"]


def test_a_trainers_commands_release_and_list_what_came_in(
    tmp_path: Path, hub: MinimalHub, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    become("tia", tmp_path, hub, deployment, monkeypatch)
    config = Config()
    configure(config)
    factory = ExchangeFactory(config=config)
    folder = CourseDirectory(config=config, assignment_id=MODULE, course_id=course_id())
    factory.ReleaseAssignment(coursedir=folder, config=config).start()
    factory.Collect(coursedir=folder, config=config).start()
    factory.ReleaseFeedback(coursedir=folder, config=config).start()
    inbound = factory.List(coursedir=folder, config=config, inbound=True).start()
    assert {entry["student_id"] for entry in inbound} <= set(LEARNERS)
    unknown = CourseDirectory(config=config, assignment_id="charts", course_id=course_id())
    with pytest.raises(ExchangeError, match="no generated assignment"):
        factory.ReleaseAssignment(coursedir=unknown, config=config).start()


def test_the_release_button_refuses_an_answer_and_says_where_it_is(
    tmp_path: Path, hub: MinimalHub, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    become("tia", tmp_path, hub, deployment, monkeypatch)
    generated = deployment.state.course_dir / "release" / MODULE / "exercises.ipynb"
    sound, shown = generated.read_bytes(), (deployment.release_dir / "exercises.ipynb").read_bytes()
    generated.write_bytes((deployment.source_dir / "exercises.ipynb").read_bytes())
    config = Config()
    configure(config)
    folder = CourseDirectory(config=config, assignment_id=MODULE, course_id=course_id())
    try:
        with pytest.raises(ExchangeError, match=r"would give away[^-]*- exercises\.ipynb: "):
            ExchangeFactory(config=config).ReleaseAssignment(coursedir=folder, config=config).start()
    finally:
        generated.write_bytes(sound)
    assert (deployment.release_dir / "exercises.ipynb").read_bytes() == shown


def test_formgrader_in_a_trainers_server_grades_and_releases_through_the_course(
    tmp_path: Path,
    hub: MinimalHub,
    deployment: Deployment,
    worker: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    become("ada", tmp_path, hub, deployment, monkeypatch)
    hand_in_the_solution(deployment)
    home = become("tia", tmp_path, hub, deployment, monkeypatch)
    (home / "course").symlink_to(deployment.state.course_dir)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(CONFIG_DIR / "trainer"))
    with trainers_server(home) as server:
        graded = server.post(f"formgrader/api/submission/{MODULE}/ada/autograde").json()
        assert graded == {"success": True, "log": "ada: 17 of 31 points"}
        released = server.post(f"formgrader/api/assignment/{MODULE}/ada/release_feedback").json()
        assert released == {"success": True, "log": "Released to: ada"}
        assert server.post(f"formgrader/api/assignment/{MODULE}/generate_feedback").json()["success"]
        assert not server.post(f"formgrader/api/assignment/{MODULE}/unrelease").json()["success"]
        assert server.post(f"formgrader/api/assignment/{MODULE}/release").json()["success"]
        assert server.post(f"formgrader/api/assignment/{MODULE}/collect").json()["success"]
        (assignment,) = server.get("formgrader/api/assignments").json()
        assert (assignment["status"], assignment["num_submissions"] > 0) == ("released", True)
        (submission,) = server.get(f"formgrader/api/submissions/{MODULE}").json()
        assert (submission["student"], submission["score"], submission["autograded"]) == ("ada", 17, True)
        assert server.get("formgrader/manage_assignments").status_code == 200
        (notebook,) = server.get(f"formgrader/api/submitted_notebooks/{MODULE}/exercises").json()
        page = server.get(f"formgrader/submissions/{notebook['id']}/")
        policy = page.headers["Content-Security-Policy"]
        assert page.status_code == 200
        assert "var submission_id" in page.text
        assert "'unsafe-inline'" not in policy
        inline = re.findall(r'<script type="[^"]*">(.+?)</script>', page.text, re.DOTALL)
        assert len(inline) == 4
        assert policy.count("'sha256-") == len(inline) + 2, "and two buttons"
        file = server.get(f"formgrader/submissions/{notebook['id']}/exercises.ipynb")
        assert file.status_code == 200
        assert file.headers["Content-Security-Policy"].endswith("sandbox")
        assert server.get(f"formgrader/submissions/{notebook['id']}/next").status_code == 302


@contextmanager
def trainers_server(home: Path) -> Iterator[httpx.Client]:
    """Start a Jupyter server with the trainer's configuration; give a client of it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = [f"--port={port}", f"--ServerApp.root_dir={home}", "--IdentityProvider.token=t", "--allow-root"]
    with (home / "server.log").open("wb") as log:
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", *options]
        process = subprocess.Popen(command, cwd=home, stdout=log, stderr=log)
        headers = {"Authorization": "token t"}
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}/", headers=headers, timeout=200) as client:
                wait_until(lambda: answers(client), 60)
                yield client
        finally:
            process.terminate()
            process.wait(30)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("api").is_success
    except httpx.TransportError:
        return False
