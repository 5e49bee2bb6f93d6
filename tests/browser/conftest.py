"""Fixtures of the tests that drive a real browser.

chromium    one browser for the tests of a module
picture     saves a screenshot in test-output/ and checks the page with axe
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

# As Debian, Ubuntu and Google name it.
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
OUTPUT = Path(__file__).parents[2] / "test-output"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Picture = Callable[..., None]

# Playwright's own 5 s are too few where several kernels start at once; only a failure takes this long.
expect.set_options(timeout=60_000)


def find_chromium() -> str | None:
    """Return the program that SPOC_CHROMIUM names, or else the first one on the path; None: there is none."""
    chosen = os.environ.get("SPOC_CHROMIUM")
    return next(filter(None, map(shutil.which, (chosen,) if chosen else CHROMIUM_NAMES)), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Module-wide and no wider: playwright's event loop must be gone before the next asynchronous test."""
    program = find_chromium()
    if program is None:
        reason = "there is no Chromium; install Debian's chromium or set SPOC_CHROMIUM to the path of one"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def picture() -> Picture:
    """Give `picture(page, name, within=None)`: fails on what axe finds wrong, in the part `within` only."""
    OUTPUT.mkdir(exist_ok=True)
    axe = Axe()

    def take(page: Page, name: str, within: str | None = None) -> None:
        page.screenshot(path=OUTPUT / f"{name}.png")
        found = axe.run(page, context=within)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"

    return take
