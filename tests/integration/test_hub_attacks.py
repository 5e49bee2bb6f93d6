"""What a learner tries at the hub with what a learner has: an own token, an own kernel, an own browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub_config.runtime import runtime_folder
from tests.course_hub import CourseHub, CourseMember

pytestmark = [pytest.mark.hub, pytest.mark.timeout(600)]

# By the learner's own token, which may do all that the learner may.
FORBIDDEN: tuple[tuple[str, str, object], ...] = (
    ("GET", "users", None),
    ("GET", "users/ben", None),
    ("GET", "users/ben/tokens", None),
    ("GET", "groups", None),
    ("GET", "groups/trainer", None),
    ("GET", "services", None),
    ("GET", "services/course", None),
    ("GET", "proxy", None),
    ("GET", "info", None),
    ("POST", "users/eve", None),
    ("POST", "users/ben/server", None),
    ("POST", "users/ben/tokens", {}),
    ("POST", "users/ben/activity", {"last_activity": "2026-11-24T12:00:00Z"}),
    ("POST", "users/ada/tokens", {"scopes": ["admin:users"]}),
    ("POST", "users/ada/tokens", {"roles": ["admin"]}),
    ("POST", "users/ada/servers/second", {}),
    ("POST", "groups/trainer/users", {"users": ["ada"]}),
    ("POST", "shares/ada/", {"user": "ben"}),
    ("POST", "share-codes/ada/", {}),
    ("POST", "proxy", None),
    ("POST", "shutdown", {}),
    ("PATCH", "users/ada", {"admin": True}),
    ("PATCH", "users/ada", {"name": "tia"}),
    ("DELETE", "users/ada", None),
    ("DELETE", "users/ben", None),
    ("DELETE", "users/ben/server", None),
    ("DELETE", "groups/trainer", None),
)

REACH = """
import os, httpx
def ask(path, method="GET", socket="hub", **body):
    token = os.environ["JUPYTERHUB_API_TOKEN"]
    transport = httpx.HTTPTransport(uds=f"/run/hub/{socket}.sock")
    with httpx.Client(transport=transport, base_url="http://x") as client:
        headers = {"Authorization": f"token {token}"}
        return client.request(method, path, headers=headers, **body).status_code
"""


@pytest.fixture(scope="module")
def ada(running_hub: CourseHub) -> CourseMember:
    running_hub.member("ben")
    member = running_hub.member("ada")
    member.start_server()
    return member


@pytest.mark.parametrize(("method", "path", "body"), FORBIDDEN)
def test_a_learners_token_reaches_nothing_at_the_hub_but_the_own_server(
    ada: CourseMember, method: str, path: str, body: object
) -> None:
    answer = ada.client.request(method, f"/hub/api/{path}", json=body)
    assert answer.status_code in (400, 403, 404, 405), answer.text
    assert ada.client.get("/hub/api/user").json()["groups"] == ["learner"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "reports/cohort"),
        ("POST", "reports/cohort"),
        ("GET", "reports/cohort/state"),
        ("POST", "api/assignments/tables-and-cleaning/release"),
        ("POST", "api/assignments/tables-and-cleaning/grade/ada"),
        ("POST", "api/assignments/tables-and-cleaning/feedback/ada"),
    ],
)
def test_a_learners_token_does_nothing_that_is_the_trainers(
    ada: CourseMember, method: str, path: str
) -> None:
    assert ada.client.request(method, f"/services/course/{path}").status_code == 403


def test_the_first_page_of_the_course_service_names_no_other_learner(ada: CourseMember) -> None:
    page = ada.client.get("/services/course/")
    assert page.status_code == 200
    assert "Ben Castillo" not in page.text


@pytest.mark.parametrize("path", ["admin", "user/ben/", "spawn/ben", "token/ben"])
def test_a_learners_browser_opens_no_page_of_others(ada: CourseMember, path: str) -> None:
    assert ada.browser.get(f"/hub/{path}").status_code in (403, 404)


def test_another_sites_page_makes_no_token_with_a_learners_cookies(ada: CourseMember) -> None:
    for headers in ({}, {"X-XSRFToken": "made-up"}):
        foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", **headers}
        answer = ada.browser.post("/hub/api/users/ada/tokens", json={"note": "stolen"}, headers=foreign)
        assert answer.status_code == 403
    assert "stolen" not in ada.browser.get("/hub/token").text


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
@pytest.mark.parametrize("path", ["spawn", "login", "logout", "home"])
def test_no_page_leads_to_another_host(
    running_hub: CourseHub, ada: CourseMember, path: str, elsewhere: str
) -> None:
    visitor = running_hub.browser() if path == "logout" else ada.browser
    step = visitor.get(f"/hub/{path}", params={"next": elsewhere}, follow_redirects=False)
    while step.next_request is not None:
        assert step.next_request.url.netloc == visitor.base_url.netloc
        step = visitor.send(step.next_request)


def test_no_code_for_the_course_service_without_proof_of_who_asks(ada: CourseMember) -> None:
    asked = {
        "client_id": "service-course",
        "response_type": "code",
        "redirect_uri": "/services/course/oauth_callback",
        "state": "x",
    }
    answer = ada.browser.get("/hub/api/oauth2/authorize", params=asked, follow_redirects=False)
    assert "code=" not in answer.headers.get("Location", "")
    challenge = {
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    answer = ada.browser.get("/hub/api/oauth2/authorize", params=asked | challenge, follow_redirects=False)
    assert "code=" in answer.headers["Location"]


@pytest.mark.parametrize(
    "request_",
    ["'users/ada/tokens', 'POST', json={}", "'users/ada/server', 'DELETE'", "'users/ada', 'DELETE'"],
)
def test_a_kernels_token_makes_no_token_and_stops_no_server(ada: CourseMember, request_: str) -> None:
    ada.run(REACH)
    assert ada.run(f"print(ask('/hub/api/' + {request_}))").strip() in ("403", "404")


def test_a_kernel_finds_two_sockets_and_neither_anothers_nor_the_proxys(
    running_hub: CourseHub, ada: CourseMember
) -> None:
    assert ada.run("import os; print(*sorted(os.listdir('/run/hub')))") == "course.sock hub.sock\n"
    runtime = runtime_folder(running_hub.state)
    for path in (runtime.root, runtime.server_socket("ben"), runtime.proxy_api_socket):
        assert ada.run(f"print(os.path.exists({str(path)!r}))") == "False\n"


@pytest.mark.parametrize("place", ["homes/ben/x", "spoc.sqlite", "hub/jupyterhub.sqlite", "secrets/cookies"])
def test_a_kernel_writes_into_nothing_of_the_state_folder(
    running_hub: CourseHub, ada: CourseMember, place: str
) -> None:
    path = running_hub.state.root / place
    before = path.stat().st_mtime_ns if path.exists() else 0
    with pytest.raises(RuntimeError, match=r"FileNotFoundError|PermissionError|Read-only"):
        ada.run(f"open({str(path)!r}, 'a').write('x')")
    assert place != "homes/ben/x" or not path.exists()
    assert place != "secrets/cookies" or path.stat().st_mtime_ns == before


def test_a_kernel_writes_into_no_other_home(running_hub: CourseHub, ada: CourseMember) -> None:
    with pytest.raises(RuntimeError, match=r"FileNotFoundError|PermissionError|Read-only"):
        ada.run("open('/home/ben/x', 'w')")
    assert not Path(running_hub.state.homes_dir / "ben" / "x").exists()


def test_no_cookie_goes_to_another_site_and_no_script_reads_one_that_signs_in(
    running_hub: CourseHub, ada: CourseMember
) -> None:
    browser = ada.browser
    browser.get("/user/ada/lab")
    browser.get("/services/course/")
    signs_in = [cookie for cookie in browser.cookies.jar if cookie.name != "_xsrf"]
    assert {cookie.path for cookie in signs_in} >= {"/hub/", "/user/ada/", "/services/course/"}
    for cookie in signs_in:
        assert cookie.get_nonstandard_attr("SameSite") == "Lax", cookie.name
        assert cookie.has_nonstandard_attr("HttpOnly"), cookie.name
