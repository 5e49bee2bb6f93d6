"""Templates to HTML: the one place where text of people and files becomes markup.

Every value passes Jinja's escaping: names, answers and file contents are hostile text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from course.item_analysis import ExerciseResult
from graders.reports.prompt import brief_prompt
from graders.reports.wording import Wording

TEMPLATES = Path(__file__).parent / "templates"
STYLE_SHEET = TEMPLATES / "page" / "report.css"
FEW = 5
HEAT_STEPS = (0.4, 0.6, 0.75, 0.9)


class Renderer:
    """Renders the templates of reports, and those of `folders` before them, in one wording."""

    def __init__(self, wording: Wording, folders: Sequence[Path] = ()) -> None:
        self._templates = Environment(
            loader=FileSystemLoader([*folders, TEMPLATES / "sections"]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(_=wording.text, wording=wording, few=FEW)
        self._templates.filters.update(
            blocks=_block_markdown,
            brief=brief_prompt,
            heat=heat,
            inline=_inline_markdown,
            percent=wording.percent,
            groups=_by_assignment,
            exercise_name=_exercise_name,
        )

    def render(self, template: str, **values: Any) -> str:
        """Return `<template>.html.j2` filled with `values`, as HTML."""
        return self._templates.get_template(f"{template}.html.j2").render(values)


def heat(share: float) -> str:
    """Return the CSS class of a share: `heat-0` for the weakest to `heat-4`."""
    return f"heat-{sum(share >= step for step in HEAT_STEPS)}"


def _by_assignment(results: Iterable[ExerciseResult]) -> list[list[ExerciseResult]]:
    return [list(group) for _, group in groupby(results, key=lambda result: result.exercise.assignment)]


def _exercise_name(cell: str) -> str:
    """Return a grade id as its author knows it: the tests of an exercise carry its name and a suffix."""
    return cell.removesuffix("-tests")


def _inline_markdown(text: str) -> Markup:
    """Return an author's one line as HTML: emphasis and code; links, pictures and HTML stay text."""
    markdown = MarkdownIt("zero").enable(["emphasis", "backticks", "escape", "entity"])
    return Markup(markdown.renderInline(" ".join(text.split())))  # noqa: S704 - escaped by the renderer


def _block_markdown(text: str) -> Markup:
    """Return an author's paragraphs, lists, code and tables as HTML; links, pictures and HTML stay text."""
    markdown = MarkdownIt("zero").enable(
        [
            "paragraph",
            "emphasis",
            "backticks",
            "escape",
            "entity",
            "newline",
            "list",
            "fence",
            "code",
            "table",
        ]
    )
    return Markup(markdown.render(text))  # noqa: S704 - escaped by the renderer
