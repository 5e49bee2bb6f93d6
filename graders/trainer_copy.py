"""A graded notebook as a trainer opens it: formgrader shows it with the trainer's own session.

nbgrader's pages put Markdown and rich outputs in as they are, so a script in them would act as the trainer.
Here they become what such pages may show. Scores are in the gradebook by then, and nothing that they or
comments hang on changes: not the cells, their order, their ids or what nbgrader knows of them.
"""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup
from nbformat import NotebookNode
from nbformat.v4 import new_output

from graders.clean_markup import clean_html
from graders.feedback_page import IMAGE_TYPES, clean_markdown, clean_output, is_image, rendered

_RICH_TYPES = ("image/svg+xml", "text/html", "text/markdown")
_TEXT_TYPES = ("text/plain", "text/latex")
_NAME = re.compile(r"[\w.:-]+")

# A tag that no parser reads in two ways and that does nothing. The text between such tags has no `<`.
_ADDRESS = r"(?:(?:https?://|mailto:|\#)[^\"<>]*|[\w%]+(?:[./-][\w%]+)*)"
_ATTRIBUTE = rf"""(?:
    (?:alt|title|colspan|rowspan|start|id)="[^"<>]*"
    | class="(?:highlight|anchor-link|language-\w+|[a-z]{{1,2}}[a-z0-9]?)?"
    | style="text-align:(?:left|right|center)"
    | href="{_ADDRESS}"
    | src="data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/=]*"
)"""
_TAG_NAMES = r"""(?:a|b|blockquote|br|code|del|dd|div|dl|dt|em|h[1-6]|hr|i|img|kbd|li|ol|p|pre|s|span|strong
    |sub|sup|table|tbody|td|th|thead|tr|u|ul)"""
_PLAIN_TAG = re.compile(rf"<(?:/{_TAG_NAMES}|{_TAG_NAMES}(?:\s+{_ATTRIBUTE})*\s*/?)>", re.VERBOSE)


def disarm(notebook: NotebookNode) -> None:
    """Take out of a notebook, in place, all that could act or load when it is opened."""
    notebook.metadata = NotebookNode(
        {name: notebook.metadata[name] for name in ("kernelspec",) if name in notebook.metadata}
    )
    # The name of a language becomes part of the page.
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    for cell in notebook.cells:
        cell.metadata = NotebookNode(_known(cell.metadata))
        attachments = cell.pop("attachments", None)
        if cell.cell_type == "markdown":
            cell.source = _markdown(cell.source, attachments)
        elif cell.cell_type == "raw":
            cell.source = cell.source if _is_plain(cell.source) else str(clean_html(cell.source))
        else:
            cell.outputs = [output for output in map(_output, cell.outputs) if output is not None]


def _known(metadata: Any) -> dict[str, Any]:
    given = metadata.get("nbgrader")
    # Without a name that can stand in a page nbgrader's pages know the cell no more than its gradebook does.
    if not isinstance(given, dict) or not _NAME.fullmatch(str(given.get("grade_id", ""))):
        return {}
    return {"nbgrader": given}


def _markdown(text: str, attachments: Any) -> str:
    html = None if attachments else rendered(text)
    return text if html is not None and _is_plain(html) else _verbatim(clean_markdown(text, attachments))


def _is_plain(html: str) -> bool:
    return "<" not in _PLAIN_TAG.sub("", html)


def _verbatim(html: Markup) -> str:
    """Return Markdown that renders as `html`: one line in a `div` is passed on as it is."""
    return "<div>" + str(html).replace("\r", "").replace("\n", "&#10;") + "</div>"


def _output(output: NotebookNode) -> NotebookNode | None:
    if output.output_type == "stream":
        name = "stderr" if output.name == "stderr" else "stdout"
        return new_output("stream", name=name, text=output.text)
    if output.output_type == "error":
        return output
    data = _data(output.get("data", {}))
    if output.output_type not in ("display_data", "execute_result") or not data:
        return None
    extra = {"execution_count": output.execution_count} if output.output_type == "execute_result" else {}
    return new_output(output.output_type, data, **extra)


def _data(data: Any) -> dict[str, Any]:
    kept = {kind: data[kind] for kind in _TEXT_TYPES if isinstance(data.get(kind), str)}
    images = {kind: data[kind] for kind in IMAGE_TYPES if is_image(data, kind)}
    if not images and any(kind in data for kind in _RICH_TYPES):
        kept["text/html"] = str(clean_output(data))
    return {**kept, **images}
