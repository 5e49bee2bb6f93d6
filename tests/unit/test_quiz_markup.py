"""Whatever stands in a quiz file, the page gets text, never something that acts."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.quiz.markup import block_html, label_html

pytestmark = pytest.mark.quick

HOSTILE = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "[click](javascript:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "[click](vbscript:x)",
    "![seen](https://example.com/pixel.png)",
    "```html\n<script>alert(1)</script>\n```",
    "```nonsense\n<script>alert(1)</script>\n```",
    '`<svg onload="alert(1)">`',
    "<javascript:alert(1)>",
    "| a |\n|---|\n| <iframe src=x> |",
    '[x](https://example.com "\\" onmouseover=alert(1) \\"")',
)
HARMLESS = {
    *("p", "em", "strong", "code", "pre", "span", "a", "ul", "ol", "li", "br", "hr", "blockquote"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}


class Seen(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs


def is_harmless(html: str) -> bool:
    seen = Seen(html)
    return seen.tags <= HARMLESS and all(
        name in {"class", "style", "title", "start"}
        or (name == "href" and not (value or "").lower().startswith(("javascript:", "data:", "vbscript:")))
        for name, value in seen.attributes
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_that_would_act_comes_out_as_text(text: str) -> None:
    assert is_harmless(block_html(text))
    assert is_harmless(label_html(text))


@given(st.text(alphabet="<>\"'`[]()!&=\\ \n|-:ahrefjsonclick/", max_size=60))
def test_no_text_at_all_becomes_something_that_acts(text: str) -> None:
    assert is_harmless(block_html(text))
    assert is_harmless(label_html(text))


def test_prose_code_and_tables_are_shown_as_such() -> None:
    html = block_html(
        "Look at **`df`**:\n\n```python\nfor x in y: pass\n```\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n"
    )
    assert "<strong><code>df</code></strong>" in html
    assert '<span class="k">for</span>' in html
    assert '<td style="text-align:right">2</td>' in html


def test_a_label_of_one_line_has_no_paragraph() -> None:
    assert label_html("`axis=0`\n") == "<code>axis=0</code>"
