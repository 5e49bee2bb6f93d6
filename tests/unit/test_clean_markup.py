"""Markup that learner code made is cleaned in time, whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.clean_markup import MAX_DEPTH, clean_html
from tests.unit.test_feedback_page import HOSTILE, acting

pytestmark = pytest.mark.quick

SIZE = 200_000
ENDLESS = {
    "blocks": "<div>",
    "items": "<ul><li>",
    "formatting": "<b><i><p>",
    "links": "<a href=#>",
    "tables": "<table><tr><td>",
    "drawings": "<svg><g>",
    "comments": "<!--",
    "brackets": "<",
    "tag without end": "<b a",
    "quotes": "<b a=\"'",
    "attributes": "<td " + "x" * 1000,
    "stray ends": "<div></p></a>",
    "hidden ends": "<div><!-- </div> -->",
    "quoted ends": '<div><b a=b"c d="></b></div>">',
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ENDLESS.values(), ids=ENDLESS)
def test_endless_nesting_is_flattened(piece: str) -> None:
    cleaned = str(clean_html(piece * (SIZE // len(piece))))
    assert acting(cleaned) == []
    assert all(f"<{name}>" * (MAX_DEPTH + 1) not in cleaned for name in ("div", "b", "i", "p"))


@pytest.mark.timeout(20)
def test_formatting_with_attributes_is_not_repeated_in_every_paragraph() -> None:
    html = "<p>" + "".join(f"<b title={number}>" for number in range(5000)) + "<p>x" * 20_000
    assert len(clean_html(html)) < 20 * len(html)


@pytest.mark.parametrize(
    "html",
    [
        "<p>One <b>two</b> <a href=\"https://example.org\" rel=\"noopener noreferrer\">three</a></p>",
        "<table><thead><tr><td></td><th scope=\"col\">a</th></tr></thead></table>",
        "<table><tbody><tr><td colspan=\"2\">1 &lt; 2</td></tr></tbody></table>",
        "<table border=\"1\"><tbody><tr><td>1</td></tr></tbody></table>",
        "<p><kbd>Shift</kbd>+<kbd>Enter</kbd></p>",
        "<ol start=\"3\"><li>a</li><li>b<br>c</li></ol>",
        "<pre>if a &lt; b:\n    c()</pre>",
    ],
)  # fmt: skip
def test_what_is_clean_stays_as_it_is(html: str) -> None:
    assert str(clean_html(html)) == html


def test_a_bare_comparison_stays_text() -> None:
    assert str(clean_html("1 < 2 > 0 & <3")) == "1 &lt; 2 &gt; 0 &amp; &lt;3"


def test_the_content_of_what_is_no_text_goes_too() -> None:
    assert (
        str(clean_html("a<style>p {}</style>b<script>x()</script>c<!-- d -->e<svg><text>f</text></svg>g"))
        == "abceg"
    )


PIECES = st.sampled_from(
    [*HOSTILE, *ENDLESS.values(), "</div>", "</svg>", "-->", '"', "'", "`", ">", "x", "&lt;", "&#60;"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=8))
def test_no_mixture_of_attacks_acts_and_cleaning_again_changes_nothing(pieces: list[str]) -> None:
    cleaned = str(clean_html("".join(pieces)))
    assert acting(cleaned) == []
    assert str(clean_html(cleaned)) == cleaned
