"""What a member does in a browser: join, open a notebook, write cells, run them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, Locator, Page, expect

from tests.waiting import wait_until

SPAWN_MS = 90_000
RUN_MS = 60_000


@dataclass
class Person:
    """One member in a browser profile of their own; every picture is kept, in order, under `album`."""

    name: str
    browser: Browser
    url: str
    album: Callable[[Page, str], None]
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.page = self.browser.new_context(viewport={"width": 1360, "height": 860}).new_page()

    def picture(self, what: str) -> None:
        self.album(self.page, f"{self.name}-{what}")

    def join(self, link: str, password: str) -> None:
        """Follow an invitation link, set a password, and arrive where the course begins for this person."""
        self.page.goto(link)
        self.picture("invitation")
        for box in self.page.locator("input[type=password]").all():
            box.fill(password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(re.compile(rf"/user/{self.name}/lab|/services/course/"), timeout=SPAWN_MS)
        self.page.locator("h1").first.wait_for(timeout=SPAWN_MS)
        self.picture("welcome")

    def open_notebook(self, path: str) -> None:
        """Open a notebook of the own home, alone, and wait for its kernel."""
        self.page.goto(f"{self.url}/user/{self.name}/lab/tree/{path}?reset")
        notebook = self.page.locator(".jp-NotebookPanel:visible")
        expect(notebook.locator(".jp-CodeCell").first).to_be_visible(timeout=SPAWN_MS)
        idle = notebook.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
        idle.wait_for(timeout=RUN_MS)

    def cell(self, text: str | re.Pattern[str], kind: str = "jp-CodeCell") -> Locator:
        """Return the cell whose source or rendered text has `text`."""
        return self.page.locator(f".jp-NotebookPanel:visible .{kind}").filter(has_text=text).first

    def run(self, cell: Locator) -> None:
        """Run a cell and wait until it has run."""
        self._enter(cell)
        self._execute()
        expect(cell.locator(".jp-InputPrompt").first).to_have_text(re.compile(r"\[\d+\]:"), timeout=RUN_MS)

    def write(self, cell: Locator, source: str) -> None:
        """Replace the source of a code cell and run it."""
        self._enter(cell)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)
        self._execute()

    def write_text(self, cell: Locator, text: str) -> None:
        """Replace a text cell's text and render it."""
        cell.scroll_into_view_if_needed()
        cell.dblclick()
        editor = self.page.locator(".jp-NotebookPanel:visible .jp-MarkdownCell.jp-mod-active .cm-content")
        editor.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Control+Enter")
        expect(self.cell(text, "jp-MarkdownCell")).to_be_visible()

    def save(self) -> None:
        """Save the notebook and wait until it is on disk."""
        with self.page.expect_response(
            lambda reply: reply.request.method == "PUT" and "/api/contents/" in reply.url, timeout=RUN_MS
        ) as saved:
            self.page.keyboard.press("Escape")
            self.page.keyboard.press("Control+S")
        assert saved.value.ok

    def _execute(self) -> None:
        """Run the active cell, again if nothing happens: a kernel shows as idle before it is connected."""
        prompt = self.page.locator(".jp-NotebookPanel:visible .jp-CodeCell.jp-mod-active .jp-InputPrompt")
        before = prompt.inner_text()

        def is_taken() -> bool:
            self.page.keyboard.press("Control+Enter")
            try:
                expect(prompt).not_to_have_text(before, timeout=3_000)
            except AssertionError:
                return False
            return True

        wait_until(is_taken)

    def _enter(self, cell: Locator) -> None:
        """Put the cursor into a code cell, also while cells above it still grow and move it."""

        def is_active() -> bool:
            cell.scroll_into_view_if_needed()
            cell.locator(".cm-content").first.click()
            return "jp-mod-active" in (cell.get_attribute("class") or "")

        wait_until(is_active)


def solutions(source_notebook: Path) -> dict[str, str]:
    """Return the reference solutions of a built notebook by the name of the function they define."""
    notebook = nbformat.read(source_notebook, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    graded = [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("solution")]
    return {re.findall(r"^def (\w+)", cell.source, re.MULTILINE)[-1]: cell.source for cell in graded}
