"""nbgrader's formgrader for trainers, with what needs the worker sent to the course service.

A trainer's server is a sandbox itself and may not start another one, so it runs no submission. Marks and
comments go straight into the gradebook of the course directory, as ever; release and collect are the exchange
plug-ins'.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from html import escape
from time import monotonic, sleep
from typing import Any

from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from nbgrader.api import GradeCell, MissingEntry
from nbgrader.server_extensions.formgrader.apihandlers import BaseApiHandler
from nbgrader.server_extensions.formgrader.base import check_xsrf
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension
from nbgrader.server_extensions.formgrader.handlers import SubmissionFilesHandler, SubmissionHandler
from tornado.web import authenticated

from course.api import SubmissionList, SubmissionStatus
from course.errors import CourseError
from extensions.client import CourseClient

GRADING_SECONDS = 180
POLL_SECONDS = 0.5

Result = dict[str, Any]
"""What nbgrader's pages expect of an action: `success`, and `log` or `error`."""
Action = Callable[[CourseClient], str]

_NOTEBOOK_BEGINS = ' id="notebook"'
_INLINE_SCRIPT = re.compile(r"<script(?: type=\"[^\"]*\")?>(.*?)</script>", re.DOTALL)
_HANDLER = re.compile(r' onclick="([^"]*)"')
_TEST_HEADING = '<span class="nbgrader-label"><code>{}</code></span>'
_REMARK = (
    '<strong role="note" style="display: inline-block; vertical-align: top; max-width: 45%; '
    'margin-left: 1em">{}</strong>'
)
_MATHJAX = re.compile(r'<script src="(https://[^"?;\s]*)')


class CourseFormgrader(FormgradeExtension):
    """Formgrader whose buttons for grading and feedback ask the course service."""

    def init_handlers(self, webapp: Any) -> None:
        # The first route that matches wins, so ours come before nbgrader's.
        base_url = webapp.settings["base_url"]
        webapp.add_handlers(".*$", [(url_path_join(base_url, path), handler) for path, handler in routes])
        super().init_handlers(webapp)


def _load_jupyter_server_extension(server: ServerApp) -> None:
    formgrader = CourseFormgrader(parent=server)
    formgrader.root_dir = server.root_dir
    formgrader.log = server.log
    formgrader.initialize([])
    formgrader.init_tornado_settings(server.web_app)
    formgrader.init_handlers(server.web_app)


class _ActionHandler(BaseApiHandler):
    """A button of formgrader; the server goes on with other requests while the service works."""

    @authenticated
    @check_xsrf
    async def post(self, *names: str) -> None:
        result = await asyncio.get_running_loop().run_in_executor(None, told, self.action(*names))
        self.finish(json.dumps(result))

    def action(self, *names: str) -> Action:
        raise NotImplementedError


class AutogradeHandler(_ActionHandler):
    """Has the newest submission of a learner graded, and waits for it."""

    def action(self, *names: str) -> Action:
        return autograde(*names)


class GenerateFeedbackHandler(_ActionHandler):
    """Has nothing to do: the course writes feedback whenever it has graded something."""

    def action(self, *names: str) -> Action:
        return lambda _client: "The course writes feedback as soon as it has graded. Now release it."


class ReleaseFeedbackHandler(_ActionHandler):
    """Lets one learner, or all, see marks and comments given by hand."""

    def action(self, *names: str) -> Action:
        return release_feedback(*names)


class UnreleaseHandler(_ActionHandler):
    """Refuses: what learners have, they keep."""

    def action(self, *names: str) -> Action:
        def refuse(_client: CourseClient) -> str:
            raise CourseError("A released assignment stays released.")

        return refuse


class SubmissionPageHandler(SubmissionHandler):
    """A submission to mark; only formgrader's own scripts run in the page, whatever the learner wrote."""

    def write(self, chunk: Any) -> None:
        if isinstance(chunk, str):
            self.set_header(
                "Content-Security-Policy", f"{self.content_security_policy}; {page_policy(chunk)}"
            )
            chunk = with_remarks(chunk, self._remarks(*self.path_args))
        super().write(chunk)

    def _remarks(self, submission: str) -> dict[str, str]:
        """Return by test what was noticed when it was graded: nbgrader's page has no place for it."""
        try:
            comments = self.gradebook.find_submission_notebook_by_id(submission).comments
        except MissingEntry:
            return {}
        of_tests = [each for each in comments if isinstance(each.cell, GradeCell)]
        return {each.name: each.auto_comment for each in of_tests if each.auto_comment}


class SubmittedFileHandler(SubmissionFilesHandler):
    """A file that a learner submitted, which may be a page: it gets nothing of the trainer's session."""

    @property
    def content_security_policy(self) -> str:
        return f"{super().content_security_policy}; default-src 'none'; img-src 'self' data:; sandbox"


def with_remarks(page: str, remarks: Mapping[str, str]) -> str:
    """Return formgrader's page of a submission with a remark in the heading of each test that has one."""
    for test, remark in remarks.items():
        heading = _TEST_HEADING.format(escape(test))
        page = page.replace(heading, f"{heading}{_REMARK.format(escape(remark))}")
    return page


def page_policy(page: str) -> str:
    """Return the policy for formgrader's page of a submission: what stands before the notebook may run."""
    own, begun, _ = page.partition(_NOTEBOOK_BEGINS)
    own = own if begun else ""
    inline = (*_INLINE_SCRIPT.findall(own), *_HANDLER.findall(own))
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in dict.fromkeys(inline))
    # MathJax comes from where nbconvert takes it; a whole public host would offer a script for every purpose.
    mathjax = " ".join(f"{address.rpartition('/')[0]}/" for address in _MATHJAX.findall(own))
    return (
        f"script-src 'self' {mathjax} 'unsafe-hashes' {allowed}; object-src 'none'; frame-src 'none'; "
        "base-uri 'none'; form-action 'self'; connect-src 'self'; img-src 'self' data:"
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def autograde(assignment: str, learner: str) -> Action:
    """Return the action that grades a learner's newest submission again."""

    def act(client: CourseClient) -> str:
        status = client.post(f"api/assignments/{assignment}/grade/{learner}", None, SubmissionStatus)
        deadline = monotonic() + GRADING_SECONDS
        while status.state in ("received", "grading"):
            if monotonic() > deadline:
                raise CourseError("Grading takes longer than usual.", "Look again in a minute.")
            sleep(POLL_SECONDS)
            status = client.get(f"api/submissions/{status.submission}", SubmissionStatus)
        if status.state == "failed":
            raise CourseError(status.problem)
        return f"{learner}: {status.points:g} of {status.max_points:g} points"

    return act


def release_feedback(assignment: str, learner: str = "") -> Action:
    """Return the action that shows a learner, or all, what was marked by hand."""

    def act(client: CourseClient) -> str:
        path = f"api/assignments/{assignment}/feedback" + (f"/{learner}" if learner else "")
        touched = client.post(path, None, SubmissionList).submissions
        return "Released to: " + (", ".join(each.learner for each in touched) or "nobody, nothing is graded")

    return act


def told(action: Action) -> Result:
    """Return what `action` did or why it could not, as nbgrader's pages show it."""
    client = CourseClient.from_environment()
    if client is None:
        return {"success": False, "error": "This server is not connected to a course.", "log": ""}
    with client:
        try:
            return {"success": True, "log": action(client)}
        except CourseError as error:
            return {"success": False, "error": str(error), "log": str(error)}


_ASSIGNMENT = r"/formgrader/api/assignment/([^/]+)"
_SUBMISSION = r"/formgrader/api/submission/([^/]+)/([^/]+)"

routes = (
    (_ASSIGNMENT + "/unrelease", UnreleaseHandler),
    (_ASSIGNMENT + "/generate_feedback", GenerateFeedbackHandler),
    (_ASSIGNMENT + "/release_feedback", ReleaseFeedbackHandler),
    (_ASSIGNMENT + r"/([^/]+)/generate_feedback", GenerateFeedbackHandler),
    (_ASSIGNMENT + r"/([^/]+)/release_feedback", ReleaseFeedbackHandler),
    (_SUBMISSION + "/autograde", AutogradeHandler),
    (r"/formgrader/submissions/([^/]+)/?", SubmissionPageHandler),
    # All that nbgrader takes for a file: neither its own components nor the way to the next submission.
    (
        r"/formgrader/submissions/((?!components/)[^/]+/(?!(?:next|prev)(?:_incorrect)?/?$).+)",
        SubmittedFileHandler,
    ),
)
