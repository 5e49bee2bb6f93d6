"""Who may ask the course service, and how it refuses.

A request is identified by the hub: by the token in its `Authorization` header (a member's server), or by the
cookie of the hub's OAuth (a browser). The roster is asked on every request, so that a removed member is out
at once, whatever the hub still remembers. What the hub says of a token is remembered for some seconds only:
one that ended there ends here soon after. A cookie counts for writing only with the hub's XSRF token.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, ParamSpec, TypeVar

from jupyterhub.services.auth import HubOAuth, HubOAuthCallbackHandler, HubOAuthenticated, UserNotAllowed
from pydantic import BaseModel, ValidationError
from tornado.web import HTTPError, RequestHandler
from traitlets import default

from course.api import Problem
from course.database import Database, is_disk_full
from course.errors import Conflict, CourseError, DiskFull, FileProblems, NotAllowed, NotFound, TooLarge
from course.events import EventStore
from course.language import translator
from course.quiz import QuizBank, QuizRecord
from course.roster import TEACHING, Member, Role, Roster
from course.state import StateFolder
from hub_config.settings import Settings

_STATUS: dict[type[CourseError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    NotAllowed: HTTPStatus.FORBIDDEN,
    Conflict: HTTPStatus.CONFLICT,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    DiskFull: HTTPStatus.INSUFFICIENT_STORAGE,
}

TOKEN_SECONDS = 15
"""So long a token counts here after the hub ended it; JupyterHub would take it for five minutes."""

_log = logging.getLogger("spoc.service")

Route = tuple[str, type[RequestHandler]]
"""A pattern relative to the service's prefix, and who answers it."""

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers work with; `application.settings["services"]`."""

    settings: Settings
    state: StateFolder
    database: Database
    roster: Roster
    events: EventStore
    bank: QuizBank
    record: QuizRecord


class SecuredHandler(RequestHandler):
    """Adds the headers every answer carries."""

    content_security_policy: ClassVar[str] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )

    def set_default_headers(self) -> None:
        self.set_header("Content-Security-Policy", self.content_security_policy)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Server")


class HealthHandler(SecuredHandler):
    """`GET health`: 200 while the service runs and its database answers; needs no token."""

    async def get(self) -> None:
        settings = self.application.settings
        await asyncio.get_running_loop().run_in_executor(settings["threads"], _ping, settings["services"])
        self.finish({"status": "ok"})


class CourseAuth(HubOAuth):
    """JupyterHub's own, with a shorter memory."""

    @default("cache_max_age")
    def _default_cache_max_age(self) -> int:
        return TOKEN_SECONDS


class CallbackHandler(SecuredHandler, HubOAuthCallbackHandler):
    """Where the hub sends a browser back after its sign-in."""

    hub_auth_class = CourseAuth


class CourseHandler(HubOAuthenticated, SecuredHandler):
    """A request of one member of the cohort.

    `self.member` is set before `get`, `post` … run. A subclass raises `CourseError`; its text reaches the
    person as `Problem`, in the deployment's language where the catalogue of `surface` has it.
    """

    hub_auth_class = CourseAuth
    member: Member
    surface: ClassVar[str] = "quiz"
    roles: ClassVar[frozenset[Role]] = frozenset({"learner", "trainer", "admin"})
    signs_in: ClassVar[bool] = False
    """True for a page: a browser without a session is sent to the hub's sign-in instead of refused."""

    @property
    def services(self) -> Services:
        return self.application.settings["services"]

    @property
    def translate(self) -> Callable[[str], str]:
        return translator(self.surface, self.services.settings.language)

    async def prepare(self) -> None:
        model = await self.hub_auth.get_user(self, sync=False)
        if model is None:
            if self.signs_in and self.request.method in {"GET", "HEAD"} and not self._has_token():
                self.redirect(self.get_login_url())
                return
            raise NotAllowed("You are not signed in to this course.", "Sign in again, then retry.")
        self.current_user = self._admitted(model)
        member = await self.run(self.services.roster.find, self.current_user["name"])
        if member is None:
            raise NotAllowed("You are not a member of this course.", "Ask your trainer to add you.")
        if member.role not in self.roles:
            raise NotAllowed("Only trainers may do this.")
        self.member = member

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in the pool of store threads: a durable write waits for the disk."""
        loop = asyncio.get_running_loop()
        threads: ThreadPoolExecutor = self.application.settings["threads"]
        return await loop.run_in_executor(threads, partial(function, *args, **kwargs))

    def body_as(self, contract: type[M]) -> M:
        """Read the body as `contract`.

        Raises:
            CourseError: It is not JSON or not of that shape.
        """
        try:
            return contract.model_validate_json(self.request.body)
        except ValidationError as error:
            where = ", ".join(".".join(map(str, issue["loc"])) or "body" for issue in error.errors())
            raise CourseError(f"The request has not the expected form: {where[:200]}.") from error

    def reply(self, message: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> None:
        """Finish with `message` as JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(message.model_dump_json())

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        status, problem = self.refusal(error, status_code)
        self.reply(problem, status)

    def refusal(self, error: BaseException | None, status_code: int) -> tuple[HTTPStatus, Problem]:
        """Return how to tell a person of `error`.

        Nothing but a `CourseError` is shown as it is, and no `FileProblems`: a file on the server is the
        trainer's matter, and its problems may quote a key.
        """
        _ = self.translate
        if is_disk_full(error):
            error = DiskFull(
                "The course's disk is full: nothing was stored.",
                "Tell your trainer. Send it again when there is space.",
            )
        if isinstance(error, CourseError) and not isinstance(error, FileProblems):
            status = _STATUS.get(type(error), HTTPStatus.BAD_REQUEST)
            return status, Problem(problem=_(error.problem), next_step=_(error.next_step))
        status = HTTPStatus(status_code)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return status, Problem(
                problem=_("The course service has a fault."),
                next_step=_("Tell your trainer; nothing is lost."),
            )
        return status, Problem(problem=status.phrase)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if isinstance(value, CourseError) and not isinstance(value, FileProblems):
            return
        if isinstance(value, HTTPError):
            super().log_exception(typ, value, tb)
            return
        _log.error("%s %s", self.request.method, self.request.path, exc_info=(typ, value, tb))

    def _has_token(self) -> bool:
        return bool(self.hub_auth.get_token(self, in_cookie=False))

    def _admitted(self, model: dict[str, Any]) -> dict[str, Any]:
        try:
            admitted = self.check_hub_user(model)
        except UserNotAllowed as error:
            raise NotAllowed("This token is not for the course service.") from error
        if admitted is None or admitted.get("kind") != "user":
            raise NotAllowed("Only members may ask the course service.")
        return admitted


class UnknownHandler(CourseHandler):
    """Every path that no route has."""

    async def prepare(self) -> None:
        await super().prepare()
        raise NotFound("There is no such page in the course service.")


class TrainerHandler(CourseHandler):
    """A request that only trainers and admins may make."""

    roles = TEACHING


def _ping(services: Services) -> None:
    with services.database.read() as connection:
        connection.exec_driver_sql("SELECT 1")
