"""Authors' Markdown as HTML that can do nothing but be read."""

from __future__ import annotations

from markdown_it import MarkdownIt

# No HTML of the author's passes, no image is fetched, and markdown-it drops `javascript:` and `data:` links.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def block_html(text: str) -> str:
    """Return `text` as paragraphs, lists, tables and code blocks."""
    return _MARKDOWN.render(text)


def label_html(text: str) -> str:
    """Return `text` as it fits into a label: one line of it, or blocks where the author wrote blocks."""
    return _MARKDOWN.render(text) if "\n" in text.strip() else _MARKDOWN.renderInline(text.strip())
