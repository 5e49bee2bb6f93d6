"""The hub's own pages in a real browser: usable, accessible, in two languages, light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Picture
from tests.roster_hub import RosterHub, roster_hub

pytestmark = [pytest.mark.hub, pytest.mark.browser]

PASSWORD = "correct horse battery"
SERVER_SECONDS = 60

LOOKS = {
    "desk": {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", "color_scheme": "light"},
    "desk-dark-fr": {"viewport": {"width": 1280, "height": 800}, "locale": "fr-FR", "color_scheme": "dark"},
    "phone-fr": {"viewport": {"width": 390, "height": 780}, "locale": "fr-FR", "color_scheme": "light"},
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RosterHub]:
    with roster_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[tuple[str, Page]]:
    context = chromium.new_context(**LOOKS[request.param])  # type: ignore[arg-type]
    yield request.param, context.new_page()
    context.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(locale="en-GB")
    yield context
    context.close()


def test_every_page_is_accessible_in_every_look(
    hub: RosterHub, look: tuple[str, Page], picture: Picture
) -> None:
    name, page = look
    member = f"m-{name}"
    hub.add(f"{member},Ada Lovelace,ada@example.org,learner")
    page.goto(f"{hub.url}/hub/login")
    picture(page, f"sign-in-{name}")
    page.fill("#username", member)
    page.fill("#password", "not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    picture(page, f"sign-in-refused-{name}")
    page.goto(hub.invite(member))
    picture(page, f"invitation-{name}")
    page.fill("#password", PASSWORD)
    page.fill("#repeated", "correct horse")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    picture(page, f"invitation-differs-{name}")
    page.goto(hub.invite(member, datetime.now(UTC) - timedelta(days=15)))
    picture(page, f"invitation-expired-{name}")
    link = hub.invite(member)
    page.goto(link)
    page.fill("#password", PASSWORD)
    page.fill("#repeated", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/hub/spawn-pending/**")
    picture(page, f"starting-{name}")
    page.wait_for_url("**/lab**", timeout=SERVER_SECONDS * 1000)
    page.goto(link)
    picture(page, f"invitation-used-{name}")
    page.goto(f"{hub.url}/hub/home")
    picture(page, f"home-{name}")
    page.click("#stop")
    expect(page.locator("#stop")).to_have_count(0)
    page.goto(f"{hub.url}/user/{member}/lab")
    picture(page, f"not-running-{name}")
    page.goto(f"{hub.url}/hub/nowhere")
    picture(page, f"no-such-page-{name}")
    page.goto(f"{hub.url}/hub/admin")
    expect(page.locator("main")).not_to_contain_text("scopes")
    picture(page, f"not-allowed-{name}")


def test_typing_can_be_shown_but_is_sent_as_a_password(hub: RosterHub, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{hub.url}/hub/login")
    page.fill("#password", "not the password")
    page.get_by_label("Show the password").check()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.get_by_label("Show the password").uncheck()
    expect(page.locator("#password")).to_have_attribute("type", "password")


def test_sign_in_works_without_a_mouse_and_comes_back_to_the_page_that_was_asked_for(
    hub: RosterHub, context: BrowserContext
) -> None:
    hub.add("keys,Keys,,")
    page = context.new_page()
    page.goto(hub.invite("keys"))
    for text in (PASSWORD, PASSWORD):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/lab**", timeout=SERVER_SECONDS * 1000)
    context.clear_cookies()
    page.goto(f"{hub.url}/hub/token")
    page.wait_for_url(re.compile("/hub/login"))
    page.keyboard.type("keys")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/hub/token")


def test_no_page_of_ours_breaks_its_content_policy(hub: RosterHub, context: BrowserContext) -> None:
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    hub.add("policy,Policy,,")
    for path in ("/hub/login", f"/hub/invitation{hub.invite('policy').rpartition('invitation')[2]}"):
        page.goto(hub.url + path)
        expect(page.get_by_label("Show the password")).to_be_visible()
    assert said == []
