"""What a learner wrote or printed does nothing to the trainer who opens it in formgrader."""

from __future__ import annotations

import pytest
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from nbgrader.server_extensions.formgrader.handlers import template_path

from graders.trainer_copy import disarm
from tests.unit.test_feedback_page import HOSTILE, acting

MARKUP = [
    *HOSTILE,
    "[x](javascript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "![x](https://evil.example/pixel)",
    "![x](/hub/logout)",
    "<javascript:alert(1)>",
    "`<img src=x onerror=alert(1)>`",
    "```\n\n<img src=x onerror=alert(1)>\n\n[x](javascript:alert(1))\n```\n<p\nonclick=alert(1)>",
    "$$\n<img src=x onerror=alert(1)>\n$$",
    "<div>\n\n<svg onload=alert(1)>\n\n</div>",
    "a\n\n    <b>\n\n<img title='<script>alert(1)</script>' src=x onerror=alert(1)>",
    "<textarea></textarea><script type=text/x-mathjax-config>alert(1)</script>",
]
GRADED = {"nbgrader": {"grade": True, "grade_id": "tidy", "points": 2, "locked": True, "checksum": "c"}}


def formgraded(notebook: NotebookNode) -> str:
    """Return what formgrader shows of a notebook."""
    exporter = HTMLExporter(template_name="formgrade", extra_template_basedirs=[template_path])
    resources = {"base_url": "", "submission_id": "s", "notebook_id": "n", "assignment_id": "a", "index": 0}
    page, _ = exporter.from_notebook_node(notebook, {**resources, "total": 1, "student": "ada"})
    return str(page).partition('id="notebook-container"')[2]


def with_everywhere(markup: str) -> NotebookNode:
    """Return a notebook with `markup` wherever a learner can put it."""
    kinds = (
        "text/html",
        "text/markdown",
        "image/svg+xml",
        "application/javascript",
        "text/latex",
        "image/png",
    )
    view = "application/vnd.jupyter.widget-view+json"
    outputs = [new_output("display_data", {kind: markup}) for kind in kinds]
    outputs += [
        new_output("display_data", {"text/html": markup}, metadata={"text/html": {"isolated": True}}),
        new_output("display_data", {"image/png": "aGk="}, metadata={"image/png": {"width": markup}}),
        new_output("display_data", {view: {"model_id": markup}}),
        new_output("stream", text=markup),
        new_output("error", ename=markup, evalue=markup, traceback=[markup]),
    ]
    attachments = {"a.png": {"image/png": markup}, markup: {'x" onerror="alert(1)': "aGk="}}
    cells = [
        new_markdown_cell(markup, metadata={"nbgrader": {"grade": True, "grade_id": markup, "points": 1}}),
        new_markdown_cell(markup, attachments=attachments),
        new_markdown_cell("![x](attachment:a.png)", attachments=attachments),
        new_raw_cell(markup),
        new_code_cell(markup, outputs=outputs, metadata={"magics_language": markup}),
    ]
    info = {"name": markup, "pygments_lexer": markup}
    state = {"application/vnd.jupyter.widget-state+json": {"state": {"a": markup}}}
    return new_notebook(cells=cells, metadata={"language_info": info, "widgets": state, "title": markup})


@pytest.mark.parametrize("markup", MARKUP)
def test_nothing_that_a_learner_wrote_acts_in_formgrader(markup: str) -> None:
    notebook = with_everywhere(markup)
    disarm(notebook)
    assert acting(formgraded(notebook)) == []


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_attacks_are_attacks() -> None:
    assert acting(formgraded(with_everywhere("<svg onload=alert(1)>")))


def test_what_nbgrader_goes_by_stays() -> None:
    notebook = with_everywhere("<script>alert(1)</script>")
    notebook.cells[-1].metadata = NotebookNode(GRADED)
    before = [(cell.id, cell.cell_type) for cell in notebook.cells]
    source = notebook.cells[-1].source
    disarm(notebook)
    assert [(cell.id, cell.cell_type) for cell in notebook.cells] == before
    assert notebook.cells[-1].metadata == GRADED
    assert notebook.cells[-1].source == source, "code is shown as text"


@pytest.mark.parametrize(
    "text",
    [
        "# A title\n\nSome *text*, `code < 3`, $x < y$ and [a link](https://example.org).",
        "| a | b |\n|--:|---|\n| 1 | 2 |",
        "```python\nif a < b:\n    print(a & b)\n```",
        "> quoted\n\n1. one\n2. two",
    ],
)
def test_ordinary_text_stays_as_it_was_written(text: str) -> None:
    notebook = new_notebook(cells=[new_markdown_cell(text)])
    disarm(notebook)
    assert notebook.cells[0].source == text


def test_tables_drawings_and_attached_images_stay_visible() -> None:
    outputs = [
        new_output("display_data", {"text/html": "<table><tr><td>1</td></tr></table>", "text/plain": "1"}),
        new_output("display_data", {"image/png": "aGk=", "text/plain": "<Figure>"}),
        new_output("display_data", {"image/svg+xml": "<svg/>"}),
    ]
    picture = new_markdown_cell("![a](attachment:a.png)", attachments={"a.png": {"image/png": "aGk="}})
    notebook = new_notebook(cells=[new_code_cell("df", outputs=outputs), picture])
    disarm(notebook)
    page = formgraded(notebook)
    assert "<td>1</td>" in page
    assert page.count("data:image/png;base64,aGk=") == 2
    assert "data:image/svg+xml;base64," in page
