"""What people have open at the hub, and how it ends: when they leave, change roles, or their time is over.

The authenticator refuses a request of theirs at once. That ends no server that works on without requests, and
a browser's connection to a kernel asks nobody again: so the hub also looks by itself.
"""

from __future__ import annotations

import logging
from typing import Any

from jupyterhub.orm import User
from tornado.ioloop import PeriodicCallback

from course.accounts import Account, Accounts

WATCH_SECONDS = 10
"""How often the hub looks; what must not go on ends within a minute."""

_log = logging.getLogger("spoc.sessions")


class SessionWatch:
    """Looks through the hub's users, and forgets those who may not have anything open."""

    def __init__(self, app: Any, accounts: Accounts) -> None:
        self._app = app
        self._accounts = accounts
        self._calls = PeriodicCallback(self.look, WATCH_SECONDS * 1000)

    def start(self) -> None:
        """Begin to look, as long as the hub's event loop runs; never twice at the same time."""
        self._calls.start()

    async def look(self) -> None:
        """End everything of users who are no members, or whose session is from before a change.

        The roster is the only list of users. A server that is just starting or stopping is left to the next
        look, and so is a user whose server does not stop.
        """
        for name in [name for (name,) in self._app.db.query(User.name)]:
            user = self._find_who_must_go(name)
            if user is None:
                continue
            try:
                await stop_server(self._app.proxy, user)
            except Exception:
                _log.exception("The server of %s does not stop", name)
                continue
            # Meanwhile the person may have signed in again, or was forgotten already.
            if self._find_who_must_go(name) is user and not user.active:
                await user.delete_spawners()
                self._app.users.delete(user)
                _log.warning("Ended what %s had open", name)

    def _find_who_must_go(self, name: str) -> Any:
        user, account = self._app.users.get(name), self._accounts.find(name)
        if user is None or (account is not None and not is_of_earlier_epoch(user, account)):
            return None
        return user


async def stop_server(proxy: Any, user: Any) -> None:
    """Stop the user's server and take it out of the proxy, unless it is not running or just changing."""
    if not user.running or user.spawner.pending:
        return
    # First, because it marks the server as stopping at once: two requests must not both stop it.
    try:
        await user.stop()
    finally:
        await proxy.delete_user(user)


def is_of_earlier_epoch(user: Any, account: Account) -> bool:
    """Whether the hub's user signed in before the last new password, role or removal of the member."""
    # A user whom the hub's API made has never signed in: there is no session to distrust.
    epoch = (user.user_info or {}).get("session_epoch")
    return epoch is not None and epoch != account.session_epoch
