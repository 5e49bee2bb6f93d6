"""The trainer's page and the cohort report in a real browser: usable, accessible, nothing hostile runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Picture
from tests.cohort_state import HOSTILE_NAME, NAMES, START, make_cohort
from tests.minimal_hub import PREFIX, MinimalHub, running_hub

pytestmark = [pytest.mark.hub, pytest.mark.browser]

REPORT_MILLISECONDS = 120_000


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinimalHub]:
    now = datetime.combine(START, datetime.min.time(), UTC) + timedelta(days=16)
    state = make_cohort(tmp_path_factory.mktemp("state"), now, names=[*NAMES, HOSTILE_NAME])
    with running_hub(tmp_path_factory.mktemp("hub"), state.root) as hub:
        yield hub


@pytest.fixture
def trainer(hub: MinimalHub, chromium: Browser) -> Iterator[Page]:
    """The trainer's page of a browser that has just signed in; a refused or failed request fails the test."""
    context = chromium.new_context(viewport={"width": 1300, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.goto(hub.url + PREFIX)
    page.fill("#username_input", "tia")
    page.fill("#password_input", "any")
    page.click("#login_submit")
    expect(page).to_have_url(hub.url + PREFIX)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    yield page
    context.close()
    assert complaints == []


def test_the_trainer_makes_a_report_and_opens_it(trainer: Page, hub: MinimalHub, picture: Picture) -> None:
    picture(trainer, "trainer-page")
    trainer.get_by_role("button", name="Make a new cohort report").press("Enter")
    expect(trainer.get_by_role("status")).to_contain_text("is being made")
    link = trainer.get_by_role("link", name="Open the cohort report")
    expect(link).to_be_visible(timeout=REPORT_MILLISECONDS)
    link.press("Enter")
    expect(trainer).to_have_url(f"{hub.url}{PREFIX}reports/cohort")
    expect(trainer.get_by_role("heading", name="Who needs you today")).to_be_visible()
    expect(trainer.get_by_role("rowheader", name=HOSTILE_NAME).first).to_be_visible()
    picture(trainer, "cohort-report")


def test_no_page_is_wider_than_a_phone(trainer: Page) -> None:
    trainer.set_viewport_size({"width": 390, "height": 780})
    assert trainer.evaluate("document.documentElement.scrollWidth") <= 390
