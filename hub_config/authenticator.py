"""Who gets into the hub: members of the roster, with the password they set through their invitation."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.orm import APIToken, new_token
from jupyterhub.spawner import SpawnException
from tornado.web import HTTPError
from traitlets import Unicode

from course.accounts import Account, Accounts
from course.database import Database
from course.invitations import Invitations
from course.members import SPONSORING
from course.roster_file import NAME_PATTERN
from hub_config.pages import page_translator
from hub_config.passwords import Passwords, TooManyHashes
from hub_config.proxy import came_through_the_proxy
from hub_config.sessions import SessionWatch, is_of_earlier_epoch, stop_server
from hub_config.sign_in import Busy, hub_handlers
from hub_config.throttle import SignInThrottle, client_address

SEEN_EVERY = timedelta(minutes=5)


class TooManyAttempts(HTTPError):
    """The sign-in is throttled; JupyterHub shows `jupyterhub_message` in the form and sends `headers`."""

    def __init__(self, message: str, wait_seconds: float) -> None:
        super().__init__(429)
        self.jupyterhub_message = message
        self.headers = {"Retry-After": str(math.ceil(wait_seconds))}


class MembershipOver(HTTPError):
    """A guest whose last day has passed; only told to who knows the password."""

    jupyterhub_message = "Your time in this course is over. If that is a mistake, ask your trainer."

    def __init__(self) -> None:
        super().__init__(403)


class NoNotebooks(SpawnException):
    """Somebody asked for a server who has none; the error page shows `jupyterhub_message`."""

    jupyterhub_message = "There are no notebooks for you here."

    def __init__(self) -> None:
        super().__init__(self.jupyterhub_message, reason="no-notebooks")


class RosterAuthenticator(Authenticator):
    """JupyterHub asks it at sign-in, and again for each request more than a second after the last."""

    database_url = Unicode(help="The course's database with the roster, as SQLAlchemy takes it.", config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **kwargs,
            # The roster is the only allow-list: nobody stays in because the hub knew the name once.
            allow_existing_users=False,
            any_allow_config=True,
            manage_groups=True,
            # A removed member is out with the next request, by cookie or by token.
            auth_refresh_age=1,
            auth_refresh_strict=True,
            refresh_pre_spawn=True,
        )
        database = Database(self.database_url)
        self.accounts = Accounts(database)
        self.invitations = Invitations(database)
        self.passwords = Passwords()
        self._throttle = SignInThrottle()

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        # The one call by which JupyterHub hands itself over, once and with its event loop running.
        SessionWatch(app, self.accounts).start()
        return hub_handlers()

    def normalize_username(self, username: str) -> str:
        return username.strip().lower()

    def validate_username(self, username: str) -> bool:
        return NAME_PATTERN.fullmatch(username) is not None

    def check_allowed(self, username: str, authentication: Any = None) -> bool:
        return self.accounts.find(username) is not None

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | None:
        """Check a user name and a password; an unknown name looks and takes the same as a wrong password.

        Raises:
            HTTPError: The attempt did not come through the proxy, so nobody knows from where.
            TooManyAttempts: There were too many failed ones from this address, or of this name.
            MembershipOver: The password is that of a guest whose last day has passed.
            Busy: So many people sign in at this moment that this one has to come again.
        """
        if not came_through_the_proxy(handler):
            raise HTTPError(403)
        name = self.normalize_username(data.get("username", ""))[:32]
        forwarded = ",".join(handler.request.headers.get_list("X-Forwarded-For"))
        address = client_address(forwarded, handler.request.remote_ip, handler.app.trusted_downstream_ips)
        self._count_attempt(handler, name, address)
        account = self.accounts.find_listed(name)
        password = data.get("password", "")
        password_hash = account.password_hash if account else None
        try:
            is_right = await self.passwords.matches(password_hash, password)
        except TooManyHashes as error:
            self._throttle.not_tried(name, address)
            raise Busy from error
        if not is_right or account is None:
            return None
        self._throttle.succeeded(name, address)
        if account.member.is_over(datetime.now(UTC)):
            raise MembershipOver
        if password_hash and self.passwords.is_outdated(password_hash):
            await self._renew_hash(account, password)
        await self.end_earlier_sessions(handler, account)
        return self.auth_model(account)

    async def pre_spawn_start(self, user: Any, spawner: Any) -> None:
        """Refuse a server to whom the roster gives none.

        Raises:
            NoNotebooks: The user is a sponsor, or no member.
        """
        account = self.accounts.find(user.name)
        if account is None or account.member.role in SPONSORING:
            raise NoNotebooks

    async def refresh_user(self, user: Any, handler: Any = None) -> bool | dict[str, Any]:
        """Return what changed, or False for a session from before a removal, another role or a new password.

        A server from before then ends too, with the first request that comes of it or of its member.
        """
        account = self.accounts.find(user.name)
        if account is None or is_of_earlier_epoch(user, account):
            if handler is not None:
                await stop_server(handler.proxy, user)
            return False
        if handler is not None and _comes_from_a_browser(handler):
            await self._remember_visit(account)
        model = self.auth_model(account)
        groups = [group.name for group in user.groups]
        known = {"admin": user.admin, "groups": groups, "user_info": user.user_info}
        return all(model[key] == value for key, value in known.items()) or model

    def auth_model(self, account: Account) -> dict[str, Any]:
        """Return what JupyterHub keeps of a member."""
        member = account.member
        return {
            "name": member.name,
            "admin": member.role == "admin",
            "groups": [member.role],
            "user_info": {"display_name": member.display_name, "session_epoch": account.session_epoch},
        }

    async def end_earlier_sessions(self, handler: Any, account: Account) -> None:
        """End what was opened under an earlier password, role or membership: server, tokens, cookies."""
        user = handler.find_user(account.member.name)
        if user is None or not is_of_earlier_epoch(user, account):
            return
        await stop_server(handler.proxy, user)
        user.orm_user.cookie_id = new_token()
        for token in handler.db.query(APIToken).filter_by(user_id=user.id):
            handler.db.delete(token)
        handler.db.commit()

    async def _remember_visit(self, account: Account) -> None:
        now = datetime.now(UTC)
        if account.last_seen_at is None or now - account.last_seen_at > SEEN_EVERY:
            # In a thread, because a write may wait for its turn and the hub must not.
            await asyncio.to_thread(self.accounts.seen, account, now)

    async def _renew_hash(self, account: Account, password: str) -> None:
        # When many people wait, the next sign-in will do.
        with suppress(TooManyHashes):
            renewed = await self.passwords.hash(password)
            await asyncio.to_thread(self.accounts.renew_hash, account, renewed)

    def _count_attempt(self, handler: Any, name: str, address: str) -> None:
        wait = self._throttle.wait_seconds(name, address)
        if wait > 0:
            self.log.warning("Sign-in throttled for %r from %s", name, address)
            say = page_translator(handler)
            raise TooManyAttempts(say("Too many attempts. Wait a minute, then try again."), wait)
        self._throttle.count(name, address)


def _comes_from_a_browser(handler: Any) -> bool:
    # A server reports its own activity with a token of no session, also while nobody sits before it.
    token = handler.get_token()
    return token is None or bool(token.session_id)
