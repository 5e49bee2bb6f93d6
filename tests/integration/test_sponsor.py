"""A sponsor sees figures of the group, and reaches nothing of a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from course.database import Database
from course.roster import Roster
from course.state import StateFolder
from tests.cohort_state import MODULES, NAMES, START, make_cohort
from tests.minimal_hub import PREFIX, MinimalHub, running_hub
from tests.roster_hub import join, roster_hub

pytestmark = pytest.mark.hub

NOW = datetime.combine(START, datetime.min.time(), UTC) + timedelta(days=16, hours=7)
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    state = make_cohort(tmp_path_factory.mktemp("state"), NOW)
    file = state.root / "sponsors.csv"
    file.write_text("username,name,role\nsol,Sol Sponsor,sponsor\n", encoding="utf-8")
    with closing(Database(state.database_url)) as database:
        Roster(database).import_csv(file)
    return state


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, state: StateFolder) -> Iterator[MinimalHub]:
    with running_hub(tmp_path_factory.mktemp("hub"), state.root) as hub:
        yield hub


def asked(hub: MinimalHub, user: str, path: str, method: str = "GET") -> httpx.Response:
    headers = {"Authorization": f"token {hub.token(user)}"}
    return httpx.request(method, f"{hub.url}{PREFIX}{path}", headers=headers, timeout=30)


def test_a_sponsor_sees_how_the_group_does_and_nobody_in_it(hub: MinimalHub) -> None:
    page = asked(hub, "sol", "overview")
    assert page.status_code == 200
    assert all(title in page.text for title, *_ in MODULES.values())
    assert f"<strong>{len(NAMES)}</strong>" in page.text
    for name in NAMES:
        assert name.replace("'", "&#39;") not in page.text
        assert name.split()[0].lower() not in page.text.lower().split()
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_a_trainer_may_look_at_what_sponsors_see_and_a_learner_may_not(hub: MinimalHub) -> None:
    assert asked(hub, "tia", "overview").status_code == 200
    assert asked(hub, "ada-nguyen", "overview").status_code == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "reports/cohort"),
        ("POST", "reports/cohort"),
        ("GET", "reports/cohort/state"),
        ("GET", "api/assignments"),
        ("GET", "api/quizzes/tables"),
        ("POST", "api/quizzes/tables/answers"),
        ("POST", "api/assignments/tables/submissions"),
        ("GET", "api/assignments/tables/submissions"),
        ("POST", "api/assignments/tables/release"),
        ("POST", "api/assignments/tables/grade/ada-nguyen"),
    ],
)
def test_a_sponsor_reaches_nothing_else_of_the_course(hub: MinimalHub, method: str, path: str) -> None:
    assert asked(hub, "sol", path, method).status_code == 403


def test_a_sponsor_comes_to_the_figures_and_has_no_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    with roster_hub(tmp_path_factory.mktemp("hub")) as hub:
        hub.add("sol,Sol Sponsor,sol@example.org,sponsor")
        browser = hub.browser()
        answer = join(browser, hub.invite("sol"), PASSWORD)
        assert answer.headers["Location"] == "/services/course/overview"
        home = browser.get("/hub/home")
        assert "/services/course/overview" in home.text
        assert "Open my notebooks" not in home.text
        assert "There are no notebooks for you here." in browser.get("/hub/spawn").text
        xsrf = {"X-XSRFToken": browser.cookies.get("_xsrf", path="/hub/") or ""}
        refused = browser.post("/hub/api/users/sol/server", headers=xsrf)
        assert refused.status_code >= 400
        user = hub.hub_user("sol")
        assert user is not None
        assert (user["groups"], user["servers"]) == (["sponsor"], {})
