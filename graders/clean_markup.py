"""HTML that a learner's code made, as HTML that can do nothing: no script, no style, nothing loaded.

Two passes. The first keeps known tags, closes each of them and bounds how deeply they nest: parsers of HTML,
that of the second pass too, take seconds or minutes for 200 kB of unclosed tags. It reads all once.
The second is nh3, which parses the rest as a browser does and lets through what is listed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import nh3
from markupsafe import Markup

MAX_DEPTH = 60
_ATTRIBUTES: Final[dict[str, set[str]]] = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "table": {"border"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_VOID: Final = frozenset({"br", "col", "hr", "img"})
_INLINE: Final = "a abbr b br code del em i img kbd s small span strong sub sup u"
_BLOCKS: Final = "blockquote div dl h1 h2 h3 h4 h5 h6 hr ol p pre table ul"
_PARTS: Final = "caption col colgroup dd dt li tbody td tfoot th thead tr"
_ENDS_PARAGRAPH: Final = frozenset(_BLOCKS.split())
_TAGS: Final = frozenset((*_INLINE.split(), *_BLOCKS.split(), *_PARTS.split()))
_WITHOUT_CONTENT: Final = frozenset(
    ("iframe", "math", "noscript", "object", "script", "style", "svg", "template", "textarea", "title", "xmp")
)
"""Elements that go with all that is in them: it is no text for a reader."""

_TAG = re.compile(r"""(/?)([a-zA-Z][a-zA-Z0-9]*+)((?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)>""")
_BARE_TAG = re.compile(r"(/?)([a-zA-Z][a-zA-Z0-9]*+)([^>]*+)>")
_ATTRIBUTE = re.compile(r"""(?<![\w-])([a-zA-Z-]++)\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++)""")
_ADDRESS = re.compile(r"https?://|mailto:|\#", re.IGNORECASE)
_DATA_IMAGE = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*+\Z")


def clean_html(html: str) -> Markup:
    """Return `html` with everything removed that could act, load, or change the page around it."""
    cleaned = nh3.clean(
        "".join(_balanced(html)),
        tags=set(_TAGS),
        clean_content_tags=set(_WITHOUT_CONTENT),
        attributes=_ATTRIBUTES,
        attribute_filter=_kept,
        url_schemes={"http", "https", "mailto", "data"},
    )
    # pandas makes the corner of a table a header without text, which says nothing to a screen reader.
    return Markup(cleaned.replace("<th></th>", "<td></td>"))  # noqa: S704 - that is what the cleaner is for


def _kept(tag: str, name: str, value: str) -> str | None:
    if name == "src":
        return value if tag == "img" and _DATA_IMAGE.match(value) else None
    if name == "href":
        return value if _ADDRESS.match(value) else None
    return value


def _balanced(html: str) -> Iterator[str]:
    """Yield `html` with the tags that are known, each closed, none nested more deeply than is allowed."""
    text, *pieces = html.split("<")
    yield _escaped(text)
    open_tags: list[str] = []
    skipped = ""
    for piece in pieces:
        if skipped:
            skipped, piece = _after(skipped, piece)
            if skipped:
                continue
            yield _escaped(piece)
            continue
        if piece.startswith("!"):
            end = "-->" if piece.startswith("!--") else ">"
            skipped, piece = _after(end, piece)
            yield _escaped(piece)
            continue
        tag = _TAG.match(piece) or _BARE_TAG.match(piece)
        if tag is None:
            yield _escaped(f"<{piece}")
            continue
        name = tag[2].lower()
        if name in _WITHOUT_CONTENT and not tag[1]:
            skipped = f"/{name}"
            continue
        if name in _TAGS:
            yield from _closing(name, open_tags) if tag[1] else _opening(name, tag[3], open_tags)
        yield _escaped(piece[tag.end() :])
    yield from (f"</{name}>" for name in reversed(open_tags))


def _after(end: str, piece: str) -> tuple[str, str]:
    """Return what still has to come before text counts again, and the text of `piece` that does."""
    if end.startswith("/"):
        tag = _BARE_TAG.match(piece)
        ends = tag is not None and bool(tag[1]) and f"/{tag[2].lower()}" == end
        return ("", piece[tag.end() :]) if tag is not None and ends else (end, "")
    found = piece.find(end)
    return (end, "") if found < 0 else ("", piece[found + len(end) :])


def _opening(name: str, attributes: str, open_tags: list[str]) -> Iterator[str]:
    if name in _ENDS_PARAGRAPH and open_tags and open_tags[-1] == "p":
        yield f"</{open_tags.pop()}>"
    if name not in _VOID:
        if len(open_tags) == MAX_DEPTH:
            return
        open_tags.append(name)
    kept = (
        f' {found[1].lower()}="{_escaped(_unquoted(found[2]))}"'
        for found in _ATTRIBUTE.finditer(attributes)
        if found[1].lower() in _ATTRIBUTES.get(name, ())
    )
    yield f"<{name}{''.join(kept)}>"


def _closing(name: str, open_tags: list[str]) -> Iterator[str]:
    if name in open_tags:
        closed = ""
        while closed != name:
            closed = open_tags.pop()
            yield f"</{closed}>"


def _unquoted(value: str) -> str:
    return value[1:-1] if value[0] in "\"'" else value


def _escaped(text: str) -> str:
    """Return text in which no tag and no attribute begins; entities stay."""
    return text.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
