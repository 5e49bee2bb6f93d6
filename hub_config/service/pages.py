"""Pages of the course service: the trainer's view of the cohort, and its report."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar

from markupsafe import Markup
from tornado.httputil import url_concat
from tornado.web import HTTPError

from course.errors import FileProblems, NotFound
from course.roster import TEACHING
from graders.reports.cohort import Cohort, read_cohort
from graders.reports.rendering import STYLE_SHEET, Renderer
from graders.reports.wording import Wording
from hub_config.reports import cohort_report_path, cohort_request
from hub_config.service.handler import CourseHandler, Route, SecuredHandler
from hub_config.service.report_job import ReportJob, cohort_report_job

HERE = Path(__file__).parent
STATIC_FILES = {
    "report.css": (STYLE_SHEET, "text/css"),
    "pages.css": (HERE / "static" / "pages.css", "text/css"),
    "report.js": (HERE / "static" / "report.js", "text/javascript"),
}


def cohort_job(handler: CourseHandler) -> ReportJob:
    """Return the one job of the service that makes the cohort report."""
    settings = handler.application.settings
    if "cohort_job" not in settings:
        state = handler.services.state
        settings["cohort_job"] = cohort_report_job(state.root, cohort_report_path(state))
    return settings["cohort_job"]


class StaticHandler(SecuredHandler):
    """`GET static/{name}`: style and script of the pages; nothing of the course is in them."""

    def get(self, name: str) -> None:
        if name not in STATIC_FILES:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        path, media_type = STATIC_FILES[name]
        self.set_header("Content-Type", f"{media_type}; charset=utf-8")
        self.finish(path.read_bytes())


class PageHandler(CourseHandler):
    """A page for a browser; refusals are pages too."""

    surface = "report"
    signs_in = True

    def show(self, page: str, **values: Any) -> None:
        """Finish with a page of `templates/`, in the language of the deployment."""
        settings = self.services.settings
        wording = Wording(settings.language, settings.time_zone, datetime.now(UTC))
        html = Renderer(wording, [HERE / "templates"]).render(
            page,
            language=settings.language,
            hub=self.hub_auth.hub_prefix,
            pages=self.hub_auth.base_url,
            **values,
        )
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(html)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        status, problem = self.refusal(error, status_code)
        # A trainer may read what is wrong in a file of the course: it is the trainer's to mend.
        if isinstance(error, FileProblems) and self.member.role in TEACHING:
            status, text, next_step = HTTPStatus.CONFLICT, str(error), ""
        else:
            text, next_step = problem.problem, problem.next_step
        self.set_status(status)
        self.set_header("Content-Security-Policy", PageHandler.content_security_policy)
        self.show("refusal", problem=text, next_step=next_step)


class CohortPage(PageHandler):
    """`GET .`: the trainer's view of the cohort; a learner is shown the way to the notebooks."""

    async def get(self) -> None:
        if self.member.role not in TEACHING:
            self.show("learner", member=self.member)
            return
        cohort = await self.run(self._read)
        xsrf = Markup(self.xsrf_form_html())  # noqa: S704 - tornado's own form field
        self.show(
            "cohort", cohort=cohort, xsrf=xsrf, report=cohort_job(self).state, formgrader=self._formgrader()
        )

    def _formgrader(self) -> str:
        """Return the address that starts the trainer's own server where needed and goes on to formgrader."""
        hub = self.hub_auth.hub_prefix
        return url_concat(
            f"{hub}spawn", {"next": f"{hub.removesuffix('hub/')}user/{self.member.name}/formgrader"}
        )

    def _read(self) -> Cohort:
        services = self.services
        return read_cohort(cohort_request(services.state, services.settings, datetime.now(UTC)))


class CohortReportPage(PageHandler):
    """`GET reports/cohort`: the newest report. `POST`: make a new one."""

    roles = TEACHING
    content_security_policy: ClassVar[str] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

    async def get(self) -> None:
        path = cohort_report_path(self.services.state)
        try:
            html = await self.run(path.read_bytes)
        except FileNotFoundError as error:
            raise NotFound("There is no report yet.", "Make one on the trainer's page.") from error
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(html)

    async def post(self) -> None:
        cohort_job(self).start()
        self.redirect("../", status=HTTPStatus.SEE_OTHER)


class CohortReportState(CourseHandler):
    """`GET reports/cohort/state`: what became of the report, as JSON."""

    roles = TEACHING

    async def get(self) -> None:
        self.reply(cohort_job(self).state)


routes: tuple[Route, ...] = (
    (r"", CohortPage),
    (r"reports/cohort", CohortReportPage),
    (r"reports/cohort/state", CohortReportState),
    (r"static/([a-z.]+)", StaticHandler),
)
