"""A question as a trainer recognises it in a table."""

from __future__ import annotations

from textwrap import shorten

from markdown_it import MarkdownIt

LONGEST = 200

_MARKDOWN = MarkdownIt("commonmark").enable("table")


def brief_prompt(prompt: str) -> str:
    """Return the words of a Markdown prompt on one line, at most `LONGEST` characters.

    Code blocks and tables are left out: squeezed into a line they say nothing. A prompt that has nothing
    else is its code.
    """
    tokens = _MARKDOWN.parse(prompt)
    words, depth = [], 0
    for token in tokens:
        depth += token.nesting * (token.type in {"table_open", "table_close"})
        if token.type == "inline" and not depth:
            words.append(token.content)
    code = [token.content for token in tokens if token.type in {"fence", "code_block"}]
    return shorten(" ".join(words or code), LONGEST, placeholder=" …")
