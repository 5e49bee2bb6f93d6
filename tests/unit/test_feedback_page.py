"""What a learner wrote or printed does nothing to whoever opens the feedback."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course.api import CellFeedback, FeedbackDocument
from graders.clean_markup import clean_html
from graders.feedback_page import feedback_page

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://evil.example/pixel'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' java\nscript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<svg><script>alert(1)</script></svg>",
    "<svg onload=alert(1)>",
    "<iframe src='https://evil.example'></iframe>",
    "<object data='x'></object><embed src='x'>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<p style='background:url(https://evil.example)'>x</p>",
    "<link rel=stylesheet href=https://evil.example>",
    "<base href='https://evil.example/'>",
    "<form action='https://evil.example'><input name=x></form>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
]


class Finder(HTMLParser):
    """Collects what could act or load, as a browser's parser would meet it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in FORBIDDEN_TAGS:
            self.found.append(tag)
        for name, value in attributes:
            target = "".join((value or "").lower().split())
            if name.startswith("on") or name == "style":
                self.found.append(name)
            if name == "src" and not target.startswith("data:image/"):
                self.found.append(target)
            if name == "href" and not target.startswith(("http://", "https://", "mailto:", "#")):
                self.found.append(target)


FORBIDDEN_TAGS = {
    "script", "iframe", "object", "embed", "style", "link", "base", "form", "input", "meta", "svg", "math",
}  # fmt: skip


def acting(html: str) -> list[str]:
    finder = Finder()
    finder.feed(html)
    return finder.found


def page_of(*cells: NotebookNode) -> str:
    document = FeedbackDocument(
        submission=uuid4(),
        assignment="tables",
        graded_at=datetime(2026, 3, 2, tzinfo=UTC),
        points=1,
        max_points=3,
        complete=True,
        cells=(
            CellFeedback(
                notebook="exercises",
                cell="tidy-tests",
                kind="tests",
                points=1,
                max_points=3,
                message="<b>2</b> is not 3",
                comment="Try <i>again</i>",
            ),
        ),
        notebooks=("exercises",),
    )
    return feedback_page(new_notebook(cells=list(cells)), "exercises", document, "en")


def body(page: str) -> str:
    return page.split("<body>")[1]


@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_hostile_survives_cleaning(html: str) -> None:
    assert acting(str(clean_html(html))) == []


@pytest.mark.parametrize("html", HOSTILE)
def test_no_place_of_a_notebook_lets_markup_act(html: str) -> None:
    cells = [
        new_markdown_cell(html),
        new_code_cell(
            html,
            outputs=[
                new_output("stream", text=html),
                new_output("display_data", {"text/html": html}),
                new_output("display_data", {"text/markdown": html}),
                new_output("display_data", {"image/svg+xml": html}),
                new_output("display_data", {"image/png": html}),
                new_output("display_data", {"application/javascript": "alert(1)", "text/plain": html}),
                new_output("error", ename=html, evalue=html, traceback=[html]),
            ],
        ),
    ]
    assert acting(body(page_of(*cells))) == []


def test_a_mark_stands_with_its_cell_as_plain_text() -> None:
    cell = new_code_cell("assert True", metadata={"nbgrader": {"grade_id": "tidy-tests"}})
    page = page_of(cell)
    assert "1 of 3 points" in page
    assert "&lt;b&gt;2&lt;/b&gt; is not 3" in page
    assert "Try &lt;i&gt;again&lt;/i&gt;" in page


def test_tables_and_images_stay() -> None:
    html = "<table border='1'><tr><th scope='col'>a</th></tr><tr><td>1</td></tr></table>"
    outputs = [
        new_output("display_data", {"text/html": html}),
        new_output("display_data", {"image/png": "aGk=\n"}),
        new_output("display_data", {"image/svg+xml": "<svg/>"}),
    ]
    page = page_of(new_code_cell("df", outputs=outputs))
    assert '<th scope="col">a</th>' in page
    assert 'src="data:image/png;base64,aGk="' in page
    assert 'src="data:image/svg+xml;base64,' in page


def test_headings_come_without_links_to_themselves() -> None:
    page = page_of(new_markdown_cell("# Tables"))
    assert "Tables</h1>" in page
    assert "&#182;" not in page


def test_an_attached_image_is_shown_and_a_missing_one_stops_nothing() -> None:
    attached = new_markdown_cell("![a](attachment:a.png)", attachments={"a.png": {"image/png": "aGk="}})
    missing = new_markdown_cell("![b](attachment:b.png)")
    page = page_of(attached, missing)
    assert 'src="data:image/png;base64,aGk="' in page
    assert "![b](attachment:b.png)" in page
