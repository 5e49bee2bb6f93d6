"""A graded notebook as one HTML page that can do nothing: no script, no handler, nothing loaded.

What a learner wrote or printed is hostile to whoever opens the page. It comes in as escaped text, as an image
in the page itself, or through an allow list of tags and attributes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape
from nbconvert.filters.markdown_mistune import InvalidNotebook, IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

from course.api import CellFeedback, FeedbackDocument
from course.language import translator
from course.score_text import points_text, score_text
from graders.clean_markup import clean_html

MAX_RICH_LENGTH = 200_000
"""Of HTML or Markdown that is made safe; longer output is shown as plain text."""
MAX_TEXT_LENGTH = 50_000

_ANCHOR = re.compile(r'<a class="anchor-link" href="#[^"]*">&#182;</a>')
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class _Mark:
    cell: str
    points: str
    full: bool
    message: str
    comment: str


@dataclass(frozen=True, slots=True)
class _Cell:
    source: str
    html: Markup | None
    outputs: tuple[Markup, ...]
    mark: _Mark | None


def feedback_page(notebook: NotebookNode, name: str, document: FeedbackDocument, language: str) -> str:
    """Return the HTML of one notebook with the marks, reasons and comments of `document`."""
    translate = translator("exchange", language)
    marks = {cell.cell: cell for cell in document.cells if cell.notebook == name}
    points = sum(mark.points or 0.0 for mark in marks.values())
    max_points = sum(mark.max_points for mark in marks.values())
    return _templates.get_template("feedback.html").render(
        language=language,
        title=translate("Feedback on {notebook}").format(notebook=name),
        total=score_text(points, max_points, language),
        trainer_says=translate("Your trainer says:"),
        cells=[_cell(cell, marks, language) for cell in notebook.cells],
    )


def clean_markdown(text: str, attachments: Any = None) -> Markup:
    """Return Markdown as clean HTML, with images attached to its cell; what cannot be read as plain text."""
    html = rendered(text, attachments)
    return _preformatted(text) if html is None else clean_html(_ANCHOR.sub("", html))


def rendered(text: str, attachments: Any = None) -> str | None:
    """Return the HTML that Jupyter makes of Markdown, not yet clean; None if it makes none, or too much."""
    if len(text) > MAX_RICH_LENGTH:
        return None
    renderer = IPythonRenderer(escape=False, attachments=dict(_images(attachments)))
    try:
        return str(MarkdownWithMath(renderer=renderer).render(text))
    except (InvalidNotebook, RecursionError):
        # An image that is not attached, or nesting without end.
        return None


def _images(attachments: Any) -> Iterator[tuple[str, dict[str, str]]]:
    for name, data in attachments.items() if isinstance(attachments, dict) else ():
        kept = {kind: data[kind] for kind in IMAGE_TYPES if isinstance(data, dict) and is_image(data, kind)}
        if kept:
            yield str(name), kept


def is_image(data: Mapping[str, Any], kind: str) -> bool:
    """Return whether `data` has an image of that kind, as base64 and nothing else."""
    return isinstance(data.get(kind), str) and _BASE64.fullmatch(data[kind]) is not None


def _cell(cell: NotebookNode, marks: Mapping[str, CellFeedback], language: str) -> _Cell:
    mark = marks.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
    is_text = cell.cell_type == "markdown"
    return _Cell(
        source=_text(cell.source),
        html=clean_markdown(cell.source, cell.get("attachments")) if is_text else None,
        outputs=tuple(_outputs(cell)),
        mark=_mark(mark, language) if mark else None,
    )


def _mark(mark: CellFeedback, language: str) -> _Mark:
    if mark.points is None:
        waits = translator("exchange", language)("Waits for your trainer ({points})")
        points = waits.format(points=points_text(mark.max_points, language))
    else:
        points = score_text(mark.points, mark.max_points, language)
    full = mark.points is not None and mark.points >= mark.max_points
    return _Mark(mark.cell, points, full, mark.message, mark.comment)


def _outputs(cell: NotebookNode) -> Iterator[Markup]:
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            yield _preformatted(output.text)
        elif output.output_type == "error":
            yield _preformatted("\n".join(map(str, output.traceback)) or f"{output.ename}: {output.evalue}")
        else:
            yield clean_output(output.get("data", {}))


def clean_output(data: Mapping[str, Any]) -> Markup:
    """Return what an output shows, by MIME type, as clean HTML."""
    for kind in IMAGE_TYPES:
        if is_image(data, kind):
            return clean_html(f'<img alt="" src="data:{kind};base64,{"".join(data[kind].split())}">')
    svg = data.get("image/svg+xml")
    if isinstance(svg, str) and len(svg) <= MAX_RICH_LENGTH * 5:
        # In an image element a drawing can neither run a script nor load anything.
        encoded = base64.b64encode(svg.encode("utf-8", "replace")).decode("ascii")
        return Markup('<img alt="" src="data:image/svg+xml;base64,{}">').format(encoded)
    html = data.get("text/html")
    if isinstance(html, str) and len(html) <= MAX_RICH_LENGTH:
        return clean_html(html)
    markdown = data.get("text/markdown")
    if isinstance(markdown, str) and len(markdown) <= MAX_RICH_LENGTH:
        return clean_markdown(markdown)
    return _preformatted(str(data.get("text/plain", "")))


def _preformatted(text: str) -> Markup:
    return Markup("<pre>{}</pre>").format(escape(_text(text)))


def _text(text: str) -> str:
    plain = _ANSI.sub("", text)
    return plain if len(plain) <= MAX_TEXT_LENGTH else f"{plain[:MAX_TEXT_LENGTH]}\n…"
