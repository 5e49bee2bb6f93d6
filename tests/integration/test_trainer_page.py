"""The trainer's page and the cohort report, through a real hub's sign-in."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from course.state import StateFolder
from tests.cohort_state import HOSTILE_NAME, NAMES, START, make_cohort
from tests.minimal_hub import PREFIX, MinimalHub, running_hub
from tests.waiting import wait_until

pytestmark = pytest.mark.hub

NOW = datetime.combine(START, datetime.min.time(), UTC) + timedelta(days=16, hours=7)
REPORT_SECONDS = 120


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    return make_cohort(tmp_path_factory.mktemp("state"), NOW, names=[*NAMES, HOSTILE_NAME])


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, state: StateFolder) -> Iterator[MinimalHub]:
    with running_hub(tmp_path_factory.mktemp("hub"), state.root) as hub:
        yield hub


@contextmanager
def signed_in(hub: MinimalHub, name: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=hub.url, follow_redirects=True, timeout=30) as browser:
        form = browser.get("/hub/login").text
        browser.post("/hub/login", data={"_xsrf": xsrf(form), "username": name, "password": "any"})
        yield browser


def xsrf(html: str) -> str:
    field = re.search(r'name="_xsrf"\s+value="([^"]+)"', html)
    assert field
    return field[1]


@pytest.fixture(scope="module")
def trainer(hub: MinimalHub) -> Iterator[httpx.Client]:
    with signed_in(hub, "tia") as browser:
        yield browser


def test_the_trainer_sees_every_learner_and_the_way_to_formgrader(trainer: httpx.Client) -> None:
    page = trainer.get(PREFIX)
    assert page.status_code == 200
    assert all(name.replace("'", "&#39;") in page.text for name in NAMES)
    assert 'href="/hub/spawn?next=%2Fuser%2Ftia%2Fformgrader"' in page.text


def test_a_hostile_name_is_text_on_the_page(trainer: httpx.Client) -> None:
    page = trainer.get(PREFIX)
    assert "<img src=x" not in page.text
    assert "&lt;img src=x onerror=alert(1)&gt;" in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_a_learner_is_shown_the_way_to_the_notebooks_and_nothing_of_others(hub: MinimalHub) -> None:
    with signed_in(hub, "ada-nguyen") as learner:
        page = learner.get(PREFIX)
        assert page.status_code == 200
        assert "Jonas Weber" not in page.text
        assert 'href="/hub/spawn"' in page.text
        for path in ("reports/cohort", "reports/cohort/state"):
            refused = learner.get(PREFIX + path)
            assert refused.status_code == 403
            assert "Jonas" not in refused.text


def test_a_broken_course_file_is_named_to_the_trainer_and_to_nobody_else(
    hub: MinimalHub, trainer: httpx.Client, state: StateFolder
) -> None:
    file = state.root / "modules" / "joins" / "module.yaml"
    sound = file.read_text()
    file.write_text(sound.replace("minutes: 60", "minutes: none"))
    try:
        page = trainer.get(PREFIX)
        assert page.status_code == 409
        assert "minutes" in page.text
        assert str(file) in page.text
        with signed_in(hub, "ada-nguyen") as learner:
            assert learner.get(PREFIX).status_code == 200
    finally:
        file.write_text(sound)
    assert trainer.get(PREFIX).status_code == 200


def test_a_learner_finds_every_own_submission_and_nothing_of_others(hub: MinimalHub) -> None:
    with signed_in(hub, "ada-nguyen") as learner:
        page = learner.get(f"{PREFIX}submissions")
        assert page.status_code == 200
        links = re.findall(r'href="([^"]+/files\.zip)"', page.text)
        assert len(links) == page.text.count('<th scope="row">') > 0
        with zipfile.ZipFile(io.BytesIO(learner.get(links[0]).content)) as packed:
            assert packed.namelist() == ["exercises.ipynb"]
        refused = learner.get(f"{PREFIX}submissions/jonas-weber")
        assert (refused.status_code, "Jonas" in refused.text) == (404, False)
    with signed_in(hub, "jonas-weber") as other:
        assert other.get(links[0]).status_code == 404


def test_a_trainer_finds_the_submissions_of_everybody(trainer: httpx.Client) -> None:
    everybody = trainer.get(f"{PREFIX}submissions")
    assert all(name.replace("'", "&#39;") in everybody.text for name in NAMES)
    assert "<img src=x" not in everybody.text
    assert f'href="{PREFIX}submissions/mei-tanaka"' in everybody.text
    page = trainer.get(f"{PREFIX}submissions/mei-tanaka").text
    assert "What Mei Tanaka submitted" in page
    assert "The notebook is not valid JSON." in page
    assert trainer.get(re.findall(r'href="([^"]+/files\.zip)"', page)[0]).status_code == 200


def test_who_is_not_signed_in_is_sent_to_the_sign_in(hub: MinimalHub) -> None:
    reply = httpx.get(f"{hub.url}{PREFIX}")
    assert reply.status_code == 302
    assert reply.headers["Location"].startswith("/hub/api/oauth2/authorize?")


def test_a_report_is_made_only_for_a_form_of_our_own(trainer: httpx.Client, state: StateFolder) -> None:
    trainer.get(PREFIX)
    refused = trainer.post(PREFIX + "reports/cohort")
    assert refused.status_code == 403
    assert not state.reports_dir.exists()


def test_a_report_is_made_in_the_background_and_opened_without_any_right(trainer: httpx.Client) -> None:
    assert trainer.get(PREFIX + "reports/cohort").status_code == 404
    form = trainer.get(PREFIX).text
    page = trainer.post(PREFIX + "reports/cohort", data={"_xsrf": xsrf(form)})
    assert page.url.path == PREFIX
    assert 'data-step="running"' in page.text

    def step() -> str:
        return str(trainer.get(PREFIX + "reports/cohort/state").json()["step"])

    wait_until(lambda: step() != "running", REPORT_SECONDS)
    assert step() == "ready"
    report = trainer.get(PREFIX + "reports/cohort")
    assert report.status_code == 200
    assert "default-src 'none'" in report.headers["Content-Security-Policy"]
    assert "Jonas Weber" in report.text
    assert f'href="{PREFIX}reports/cohort"' in trainer.get(PREFIX).text
