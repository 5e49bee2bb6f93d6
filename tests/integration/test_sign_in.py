"""Only the roster gets in: a real hub, asked over HTTP as a browser or an attacker would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from course.accounts import Accounts
from tests.roster_hub import RosterHub, hidden_field, join, roster_hub, sign_in
from tests.waiting import wait_until

pytestmark = pytest.mark.hub

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RosterHub]:
    with roster_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
def browser(hub: RosterHub) -> httpx.Client:
    return hub.browser()


def joined(hub: RosterHub, name: str, role: str = "learner") -> httpx.Client:
    """Return the browser of a new member who just set a password."""
    hub.add(f"{name},{name.title()} Example,{name}@example.org,{role}")
    browser = hub.browser()
    assert join(browser, hub.invite(name), PASSWORD).status_code == 302
    return browser


def is_in(browser: httpx.Client) -> bool:
    return browser.get("/hub/home", follow_redirects=False).status_code == 200


def token_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["token"][0]


def test_a_link_shows_whom_it_is_for_and_looking_does_not_use_it_up(
    hub: RosterHub, browser: httpx.Client
) -> None:
    hub.add("look,Lou <script>Ok,lou@example.org,")
    link = hub.invite("look")
    for _ in range(3):
        page = browser.get(link)
        assert page.status_code == 200
        assert "Lou &lt;script&gt;Ok" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert join(browser, link, PASSWORD).status_code == 302


def test_a_link_signs_in_once_and_sends_to_the_own_server(hub: RosterHub, browser: httpx.Client) -> None:
    hub.add("once,Once,,")
    link = hub.invite("once")
    answer = join(browser, link, PASSWORD)
    assert answer.headers["Location"] == "/hub/spawn"
    assert is_in(browser)
    second = hub.browser()
    page = second.get(link)
    assert page.status_code == 410
    assert "used already" in page.text
    form = {"token": token_of(link), "password": "another password", "repeated": "another password"}
    form["_xsrf"] = hidden_field(second.get("/hub/login"), "_xsrf")
    assert second.post("/hub/invitation", data=form).status_code == 410
    assert not is_in(second)
    assert sign_in(second, "once", PASSWORD).status_code == 302


def test_of_two_people_with_one_link_one_gets_in(hub: RosterHub) -> None:
    hub.add("race,Race,,")
    link = hub.invite("race")
    browsers = [hub.browser() for _ in range(4)]
    tokens = [hidden_field(browser.get(link), "_xsrf") for browser in browsers]

    def redeem(number: int) -> int:
        password = f"{PASSWORD} {number}"
        form = {"token": token_of(link), "password": password, "repeated": password, "_xsrf": tokens[number]}
        return browsers[number].post("/hub/invitation", data=form, follow_redirects=False).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(redeem, range(4))) == [302, 410, 410, 410]
    assert sum(map(is_in, browsers)) == 1


@pytest.mark.parametrize(
    ("password", "repeated", "said"),
    [
        ("hunter2", "hunter2", "at least 10"),
        (PASSWORD, "correct horse", "differ"),
        ("pw@example.org", "pw@example.org", "other than your name"),
    ],
)
def test_a_bad_password_is_explained_and_the_link_stays_good(
    hub: RosterHub, browser: httpx.Client, password: str, repeated: str, said: str
) -> None:
    hub.add("pw,Pat,pw@example.org,")
    link = hub.invite("pw")
    answer = join(browser, link, password, repeated)
    assert answer.status_code == 400
    assert said in answer.text
    assert 'role="alert"' in answer.text
    assert f'value="{password}"' not in answer.text
    assert join(browser, link, PASSWORD).status_code == 302


def test_an_expired_or_unknown_link_says_what_to_do(hub: RosterHub, browser: httpx.Client) -> None:
    hub.add("late,Late,,")
    expired = browser.get(hub.invite("late", datetime.now(UTC) - timedelta(days=15)))
    assert (expired.status_code, "has expired" in expired.text) == (410, True)
    for unknown in ("/hub/invitation", "/hub/invitation?token=%00%ff", hub.invite("late")[:-1]):
        page = browser.get(unknown)
        assert (page.status_code, "not valid" in page.text) == (404, True)


def test_a_token_is_not_in_the_log_even_when_something_breaks(hub: RosterHub, browser: httpx.Client) -> None:
    hub.add("quiet,Quiet,,")
    link = hub.invite("quiet")
    answer = join(browser, link, PASSWORD)
    browser.get(answer.headers["Location"])
    browser.get(link)
    browser.post(link, data={"token": token_of(link)})
    browser.put(link)
    assert token_of(link) not in hub.log.read_text(encoding="utf-8")
    assert PASSWORD not in hub.log.read_text(encoding="utf-8")


def test_pages_are_in_the_language_of_the_browser(hub: RosterHub) -> None:
    french = hub.browser(**{"Accept-Language": "fr-CH, en;q=0.5"})
    assert 'lang="fr"' in french.get("/hub/login").text
    assert "Identifiant ou mot de passe incorrect." in sign_in(french, "nobody", "x").text
    assert "Cette page n’existe pas" in french.get("/hub/nowhere").text


def test_somebody_who_is_not_on_the_roster_and_a_wrong_password_get_the_same_answer(
    hub: RosterHub, browser: httpx.Client
) -> None:
    joined(hub, "known")
    wrong = sign_in(browser, "known", "not the password")
    unknown = sign_in(browser, "knowm", "not the password")
    assert (wrong.status_code, unknown.status_code) == (403, 403)
    varying = {hidden_field(wrong, "_xsrf"), hidden_field(unknown, "_xsrf")}

    def constant(text: str) -> str:
        for value in varying:
            text = text.replace(value, "")
        return text.replace("knowm", "known")

    assert constant(wrong.text) == constant(unknown.text)
    assert hub.hub_user("knowm") is None


def test_a_member_without_a_password_cannot_sign_in(hub: RosterHub, browser: httpx.Client) -> None:
    hub.add("fresh,Fresh,,")
    for password in ("", "None", "fresh"):
        assert sign_in(browser, "fresh", password).status_code == 403


def test_a_guest_past_the_last_day_is_told_so_and_nobody_else_is(hub: RosterHub) -> None:
    joined(hub, "guest")
    file = hub.log.parent / "guests.csv"
    file.write_text(
        "username,name,email,until\nguest,Guest Example,guest@example.org,2026-01-31\n", encoding="utf-8"
    )
    hub.roster.import_csv(file)
    again = hub.browser()
    told = sign_in(again, "guest", PASSWORD)
    assert (told.status_code, "time in this course is over" in told.text) == (403, True)
    guessed = sign_in(again, "guest", "not the password")
    assert (guessed.status_code, "time in this course is over" in guessed.text) == (403, False)
    assert not is_in(again)


def test_a_name_that_begins_like_another_is_another(hub: RosterHub, browser: httpx.Client) -> None:
    alice = joined(hub, "alice")
    hub.add("al,Al,,")
    for name in ("al", "alic", "alice/", "alice%2f", "../alice", "аlice"):
        assert sign_in(browser, name, PASSWORD).status_code == 403
    assert alice.get("/user/al/", follow_redirects=False).status_code != 200
    assert alice.get("/hub/spawn/al").status_code == 404
    assert sign_in(browser, " ALICE ", PASSWORD).status_code == 302


def test_roles_are_the_hubs_groups_and_follow_the_roster(hub: RosterHub) -> None:
    browser = joined(hub, "role", "trainer")

    def standing() -> tuple[object, object]:
        user = hub.hub_user("role")
        assert user is not None
        return user["groups"], user["admin"]

    assert standing() == (["trainer"], False)
    for role, is_admin in (("admin", True), ("learner", False)):
        hub.add(f"role,Role Example,role@example.org,{role}")
        wait_until(lambda: not is_in(browser), seconds=3)
        assert sign_in(browser, "role", PASSWORD).status_code == 302
        assert standing() == ([role], is_admin)


def test_a_removed_member_is_out_at_once_by_cookie_token_and_password(hub: RosterHub) -> None:
    browser = joined(hub, "gone")
    made = browser.post(
        "/hub/api/users/gone/tokens",
        content=json.dumps({"note": "mine"}),
        headers={
            "X-XSRFToken": browser.cookies.get("_xsrf", path="/hub/") or "",
            "Sec-Fetch-Mode": "cors",
            "Referer": hub.url + "/hub/token",
        },
    )
    bearer = {"Authorization": f"token {made.raise_for_status().json()['token']}"}
    assert httpx.get(f"{hub.url}/hub/api/user", headers=bearer).status_code == 200
    assert is_in(browser)
    hub.roster.remove("gone")
    wait_until(lambda: not is_in(browser), seconds=3)
    wait_until(lambda: httpx.get(f"{hub.url}/hub/api/user", headers=bearer).status_code == 403, seconds=3)
    again = hub.browser()
    assert sign_in(again, "gone", PASSWORD).status_code == 403


def test_whoever_comes_back_needs_a_new_invitation_and_old_sessions_stay_dead(hub: RosterHub) -> None:
    browser = joined(hub, "back")
    hub.roster.remove("back")
    hub.add("back,Back Example,back@example.org,")
    wait_until(lambda: not is_in(browser), seconds=3)
    again = hub.browser()
    assert sign_in(again, "back", PASSWORD).status_code == 403
    assert join(again, hub.invite("back"), "a new one, longer").status_code == 302
    assert is_in(again)
    assert not is_in(browser)


def test_a_new_password_ends_every_earlier_session(hub: RosterHub) -> None:
    stolen = joined(hub, "reset")
    owner = hub.browser()
    assert join(owner, hub.invite("reset"), "a new one, longer").status_code == 302
    assert is_in(owner)
    assert not is_in(stolen)
    thief = hub.browser()
    assert sign_in(thief, "reset", PASSWORD).status_code == 403


def test_a_planted_session_is_not_taken_over(hub: RosterHub) -> None:
    joined(hub, "fixed")
    browser = hub.browser()
    browser.cookies.set("jupyterhub-session-id", "planted", path="/")
    answer = sign_in(browser, "fixed", PASSWORD)
    cookies = " ".join(answer.headers.get_list("Set-Cookie"))
    assert "jupyterhub-session-id=" in cookies
    assert "planted" not in cookies
    assert "jupyterhub-hub-login=" in cookies


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "https:evil.example", "///evil.example"],
)
def test_signing_in_never_leads_to_another_host(hub: RosterHub, elsewhere: str) -> None:
    if Accounts(hub.database).find("away") is None:
        joined(hub, "away")
    browser = hub.browser()
    target = sign_in(browser, "away", PASSWORD, next_url=elsewhere).headers["Location"]
    assert urlsplit(target).netloc in {"", urlsplit(hub.url).netloc}
    assert not target.startswith(("//", "/\\"))


def test_a_form_from_another_site_is_refused(hub: RosterHub, browser: httpx.Client) -> None:
    hub.add("csrf,Csrf,,")
    link = hub.invite("csrf")
    form = {"token": token_of(link), "password": PASSWORD, "repeated": PASSWORD}
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for forged in (form, form | {"_xsrf": "made-up"}):
        answer = browser.post("/hub/invitation", data=forged, headers=foreign, follow_redirects=False)
        assert answer.status_code == 403
        assert "Open your invitation link again" in answer.text
    login = browser.post("/hub/login", data={"username": "csrf", "password": PASSWORD}, headers=foreign)
    assert login.status_code == 403
    assert join(browser, link, PASSWORD).status_code == 302


def test_guessing_is_slowed_also_when_the_password_is_right_or_the_address_forged(
    hub: RosterHub,
) -> None:
    joined(hub, "guessed")
    browser = hub.browser()
    page = browser.get("/hub/login")

    def guess(password: str, number: int = 0) -> httpx.Response:
        return browser.post(
            "/hub/login",
            data={"_xsrf": hidden_field(page, "_xsrf"), "username": "guessed", "password": password},
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
            follow_redirects=False,
        )

    answers = [guess("not it", number) for number in range(10)]
    assert [answer.status_code for answer in answers[:5]] == [403] * 5
    throttled = next(answer for answer in answers if answer.status_code == 429)
    assert "Too many attempts" in throttled.text
    assert int(throttled.headers["Retry-After"]) >= 1
    assert guess(PASSWORD).status_code == 429
    wait_until(lambda: guess(PASSWORD).status_code == 302, seconds=60)


def test_whoever_guesses_at_a_name_keeps_nobody_out_elsewhere(hub: RosterHub) -> None:
    joined(hub, "wanted")
    guesser, owner = hub.browser(), hub.browser()
    answers = [sign_in(guesser, "wanted", "not it").status_code for _ in range(12)]
    assert 429 in answers
    assert sign_in(owner, "wanted", PASSWORD).status_code == 302


def test_trying_many_names_is_slowed_for_the_address_whatever_headers_it_sends(hub: RosterHub) -> None:
    sprayer = hub.browser()

    def spray(number: int) -> int:
        claimed = f"203.0.113.{number}"
        sprayer.headers.update({"X-Forwarded-For": claimed, "X-Real-Ip": claimed})
        return sign_in(sprayer, f"sprayed-{number}", "x").status_code

    answers = [spray(number) for number in range(66)]
    # A slow machine may outwait the first second, not the doubled ones.
    assert answers[:60] == [403] * 60
    assert 429 in answers[60:]
    elsewhere = hub.browser()
    assert sign_in(elsewhere, "sprayed-1", "x").status_code == 403


def test_a_whole_cohort_signs_in_at_once_without_an_error(hub: RosterHub) -> None:
    names = [f"class-{number}" for number in range(30)]
    hub.add(*(f"{name},{name},," for name in names))
    with ThreadPoolExecutor(30) as pool:
        first = list(
            pool.map(lambda name: join(hub.browser(), hub.invite(name), PASSWORD).status_code, names)
        )
        again = list(pool.map(lambda name: sign_in(hub.browser(), name, PASSWORD).status_code, names))
    assert (set(first), set(again)) == ({302}, {302})


def test_a_flood_of_sign_ins_is_turned_away_with_a_word_and_uses_nothing_up(hub: RosterHub) -> None:
    joined(hub, "calm")
    hub.add("newly,Newly,,")
    link = hub.invite("newly")
    latecomer, invited = hub.browser(), hub.browser()
    flood = [hub.browser() for _ in range(100)]
    with ThreadPoolExecutor(len(flood)) as pool:
        answers = list(pool.map(lambda browser: sign_in(browser, "nobody-here", "x"), flood))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused
    assert {answer.status_code for answer in answers} <= {403, 429, 503}
    assert "Many people are signing in" in refused[0].text
    assert refused[0].headers["Retry-After"] == "10"
    assert sign_in(latecomer, "calm", PASSWORD).status_code == 302
    assert join(invited, link, PASSWORD).status_code == 302


def test_every_page_of_ours_has_the_strict_policy_whoever_answers(hub: RosterHub) -> None:
    browser = joined(hub, "page")
    paths = ["home", "nowhere", "login?force=1", "error/503", "user/calm/", "spawn/page/no-such-server"]
    for path in paths:
        page = browser.get(f"/hub/{path}")
        assert "spoc.css" in page.text, path
        (policy,) = page.headers.get_list("Content-Security-Policy")
        assert policy.startswith("default-src 'none'"), path
        assert "frame-ancestors 'none'" in policy, path
