"""Authors' Markdown as HTML that can do nothing but be read."""

from __future__ import annotations

from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound


def _highlighted(code: str, language: str, _attributes: str) -> str:
    """Return `code` as HTML with classes for its colours; empty (plain code) for an unknown language."""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return ""
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


# No HTML of the author's passes, no image is fetched, and markdown-it drops `javascript:` and `data:` links.
_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False, "highlight": _highlighted}).enable("table").disable("image")
)


def block_html(text: str) -> str:
    """Return `text` as paragraphs, lists, tables and code blocks."""
    return _MARKDOWN.render(text)


def label_html(text: str) -> str:
    """Return `text` as it fits into a label: one line of it, or blocks where the author wrote blocks."""
    return _MARKDOWN.render(text) if "\n" in text.strip() else _MARKDOWN.renderInline(text.strip())
