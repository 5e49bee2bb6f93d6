"""The hub's pages for people who are not in yet: sign-in and invitation."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.handlers.static import CacheControlStaticFilesHandler
from tornado.web import HTTPError

from course.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD, PasswordProblem, find_password_problem
from course.errors import Conflict
from course.invitations import Invitation
from hub_config.pages import CONTENT_SECURITY_POLICY, STATIC_DIR, STATIC_PATH, first_page, page_translator
from hub_config.passwords import TooManyHashes
from hub_config.proxy import came_through_the_proxy

BUSY_SECONDS = 10

PASSWORD_PROBLEMS: dict[PasswordProblem, str] = {
    "too short": "Take at least {shortest} characters.",
    "too long": "Take at most {longest} characters.",
    "is your name": "Take something other than your name.",
    "too plain": "Take more than three different characters.",
    "not repeated": "The two passwords differ. Type the same one twice.",
}


class InvitationFormExpired(HTTPError):
    """A form without its token, as after a long wait; the error page shows `jupyterhub_message`."""

    jupyterhub_message = "This form was open too long. Open your invitation link again."

    def __init__(self) -> None:
        super().__init__(403)


class Busy(HTTPError):
    """So many people sign in that this one would wait too long; the error page shows `jupyterhub_message`."""

    jupyterhub_message = "Many people are signing in at this moment. Try again in ten seconds."

    def __init__(self) -> None:
        super().__init__(503)
        self.headers = {"Retry-After": str(BUSY_SECONDS)}


def hub_handlers() -> list[tuple[Any, ...]]:
    """Return the routes below the hub's prefix."""
    return [
        (r"/login", SignInHandler),
        (r"/invitation", InvitationHandler),
        (rf"/{STATIC_PATH}/(.*)", CacheControlStaticFilesHandler, {"path": str(STATIC_DIR)}),
    ]


class _SignInPage(BaseHandler):
    """What both pages share: strict headers, browsers only, and a session of its own for each sign-in."""

    async def prepare(self) -> None:
        await super().prepare()
        # Hashing is dear, and the hub counts attempts by an address that a member's server could make up.
        if not came_through_the_proxy(self):
            raise HTTPError(403)

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.set_header("Cache-Control", "no-store")
        # The address of the invitation page holds the token.
        self.set_header("Referrer-Policy", "no-referrer")

    def _request_summary(self) -> str:
        # What tornado logs of a failed request; the query may hold a token that still works.
        return f"{self.request.method} {self.request.path} ({self.request.remote_ip})"

    def set_login_cookie(self, user: Any) -> None:
        if self.request.method == "POST":
            # JupyterHub keeps a session id that the browser brings along; an attacker may have planted it.
            self._session_id = uuid.uuid4().hex
            self.set_session_cookie()
            self.set_hub_cookie(user)
        super().set_login_cookie(user)


class SignInHandler(_SignInPage, LoginHandler):
    """`/hub/login`: JupyterHub's own, in our dress."""


class InvitationHandler(_SignInPage):
    """`/hub/invitation?token=`: shows whom a link is for, takes the first password, signs in."""

    async def get(self) -> None:
        token = self.request.query_arguments.get("token", [b""])[-1].decode("utf-8", "replace")
        invitation = self.authenticator.invitations.find(token, datetime.now(UTC))
        if invitation is None or invitation.state != "open":
            await self._refuse(invitation)
        else:
            await self._show(invitation, token)

    async def post(self) -> None:
        token = self.get_body_argument("token", "")
        password = self.get_body_argument("password", "", strip=False)
        repeated = self.get_body_argument("repeated", "", strip=False)
        # Before any hashing: made-up tokens must cost nothing.
        invitation = self.authenticator.invitations.find(token, datetime.now(UTC))
        if invitation is None or invitation.state != "open":
            await self._refuse(invitation)
            return
        problem = find_password_problem(password, repeated, invitation.member)
        if problem is not None:
            self.set_status(400)
            await self._show(invitation, token, problem)
            return
        await self._let_in(token, password)

    def check_xsrf_cookie(self) -> None:
        try:
            super().check_xsrf_cookie()
        except HTTPError as error:
            self.log.warning("XSRF check of the invitation form failed: %s", error)
            raise InvitationFormExpired from error

    async def _let_in(self, token: str, password: str) -> None:
        authenticator = self.authenticator
        try:
            password_hash = await authenticator.passwords.hash(password)
        except TooManyHashes as error:
            # The link was not used up: it works in ten seconds.
            raise Busy from error
        try:
            member = await asyncio.to_thread(
                authenticator.invitations.redeem, token, password_hash, datetime.now(UTC)
            )
        except Conflict:
            # Another request was faster, or the member was removed while this one hashed.
            await self._refuse(authenticator.invitations.find(token, datetime.now(UTC)))
            return
        account = authenticator.accounts.find(member.name)
        if account is None:
            raise HTTPError(403)
        await authenticator.end_earlier_sessions(self, account)
        user = await self.auth_to_user(authenticator.auth_model(account))
        self.set_login_cookie(user)
        self.log.info("Member joined: %s", user.name)
        self.redirect(first_page(self) or self.hub.base_url + "spawn")

    async def _show(self, invitation: Invitation, token: str, problem: PasswordProblem | None = None) -> None:
        limits = {"shortest": SHORTEST_PASSWORD, "longest": LONGEST_PASSWORD}
        say = page_translator(self)
        self.finish(
            await self.render_template(
                "invitation.html",
                member=invitation.member,
                token=token,
                problem=problem and say(PASSWORD_PROBLEMS[problem]).format(**limits),
                problem_is_in_repetition=problem == "not repeated",
                action=self.hub.base_url + "invitation",
                **limits,
            )
        )

    async def _refuse(self, invitation: Invitation | None) -> None:
        self.set_status(404 if invitation is None else 410)
        self.finish(
            await self.render_template(
                "invitation_closed.html", state=invitation.state if invitation else "unknown"
            )
        )
