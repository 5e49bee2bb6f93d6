"""A real JupyterHub with our authenticator and pages, and JupyterHub's simplest servers."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import httpx

from course.database import Database
from course.invitations import Invitations
from course.roster import Roster
from hub_config.proxy import proxy_command
from tests.hub_in_folder import free_ports, hub_in_folder
from tests.waiting import wait_until

COURSE_TITLE = "Data work in Python"
USER_AGENT = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}

CONFIG = """
import json
from hub_config.pages import configure_pages
given = json.loads({given!r})
folder = given["folder"]
c.JupyterHub.bind_url = f"http://127.0.0.1:{{given['proxy_port']}}"
c.JupyterHub.hub_port = given["hub_port"]
c.JupyterHub.db_url = f"sqlite:///{{folder}}/hub.sqlite"
c.JupyterHub.cookie_secret_file = f"{{folder}}/cookie_secret"
c.ConfigurableHTTPProxy.command = given["proxy_command"]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{{given['proxy_api_port']}}"
c.ConfigurableHTTPProxy.auth_token = given["admin_token"]
c.ConfigurableHTTPProxy.pid_file = f"{{folder}}/proxy.pid"
c.JupyterHub.authenticator_class = "spoc"
c.RosterAuthenticator.database_url = given["database_url"]
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = f"{{folder}}/homes/{{{{username}}}}"
c.Spawner.cmd = given["server_command"]
c.JupyterHub.services = [{{"name": "test-admin", "api_token": given["admin_token"]}}]
c.JupyterHub.load_roles = [
    {{"name": "test-admin", "services": ["test-admin"], "scopes": ["admin:users", "admin:servers"]}},
]
configure_pages(c, {title!r})
"""


@dataclass(frozen=True, slots=True)
class RosterHub:
    """A running hub. `url` is the proxy's, without a slash at its end."""

    url: str
    api_url: str
    log: Path
    database: Database
    process: subprocess.Popen[bytes]
    admin_token: str = field(repr=False)
    browsers: ExitStack = field(repr=False)
    _addresses: Iterator[int] = field(default_factory=lambda: count(1), repr=False)

    @property
    def roster(self) -> Roster:
        return Roster(self.database)

    def add(self, *lines: str) -> None:
        """Add members, each `username,name,email,role`."""
        path = self.log.parent / "roster.csv"
        path.write_text("\n".join(["username,name,email,role", *lines]) + "\n", encoding="utf-8")
        self.roster.import_csv(path)

    def invite(self, name: str, now: datetime | None = None) -> str:
        """Return the address of a new invitation."""
        token = Invitations(self.database).issue(name, now or datetime.now(UTC))
        return f"{self.url}/hub/invitation?token={token}"

    def browser(self, **headers: str) -> httpx.Client:
        """Return a client that acts as a browser, with an IP address of its own."""
        address = f"127.1.{next(self._addresses)}.1"
        return self.browsers.enter_context(
            httpx.Client(
                base_url=self.url,
                headers={**USER_AGENT, **headers},
                transport=httpx.HTTPTransport(local_address=address),
                follow_redirects=True,
                timeout=30,
            )
        )

    def hub_user(self, name: str) -> dict[str, object] | None:
        """Return what the hub knows of a user, or None."""
        reply = httpx.get(
            f"{self.api_url}/users/{name}", headers={"Authorization": f"token {self.admin_token}"}
        )
        return None if reply.status_code == 404 else dict(reply.raise_for_status().json())


def hidden_field(page: httpx.Response, name: str) -> str:
    """Return the value of a hidden field of a form."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, f"{page.url} has no field {name}:\n{page.text}"
    return found[1]


def join(browser: httpx.Client, link: str, password: str, repeated: str | None = None) -> httpx.Response:
    """Follow an invitation and set a password; return the answer, before any redirect."""
    page = browser.get(link)
    form = {
        "_xsrf": hidden_field(page, "_xsrf"),
        "token": hidden_field(page, "token"),
        "password": password,
        "repeated": password if repeated is None else repeated,
    }
    return browser.post("/hub/invitation", data=form, follow_redirects=False)


def sign_in(browser: httpx.Client, name: str, password: str, *, next_url: str = "") -> httpx.Response:
    """Sign in at the hub's form; return the answer, before any redirect."""
    page = browser.get("/hub/login", params={"next": next_url} if next_url else {})
    form = {"_xsrf": hidden_field(page, "_xsrf"), "username": name, "password": password}
    where = "/hub/login" + (f"?next={next_url}" if next_url else "")
    return browser.post(where, data=form, follow_redirects=False)


@contextmanager
def roster_hub(folder: Path) -> Iterator[RosterHub]:
    """Start a hub that keeps its files in `folder`; stop it at the end."""
    (folder / "homes").mkdir()
    database_url = f"sqlite:///{folder / 'spoc.sqlite'}"
    given = {
        "folder": str(folder),
        "database_url": database_url,
        "server_command": [sys.executable, "-m", "jupyterhub.singleuser", "--allow-root"],
        "proxy_command": proxy_command(),
        **dict(zip(("proxy_port", "hub_port", "proxy_api_port"), free_ports(3), strict=True)),
        "admin_token": secrets.token_hex(16),
    }
    config = CONFIG.format(given=json.dumps(given), title=COURSE_TITLE)
    with (
        closing(Database(database_url)) as database,
        hub_in_folder(folder, config, "--debug") as process,
        ExitStack() as browsers,
    ):
        hub = RosterHub(
            url=f"http://127.0.0.1:{given['proxy_port']}",
            api_url=f"http://127.0.0.1:{given['hub_port']}/hub/api",
            log=folder / "hub.log",
            database=database,
            process=process,
            admin_token=str(given["admin_token"]),
            browsers=browsers,
        )
        wait_until(lambda: _is_ready(hub), 60)
        yield hub


def _is_ready(hub: RosterHub) -> bool:
    if hub.process.poll() is not None:
        raise RuntimeError(f"the hub ended:\n{hub.log.read_text()}")
    try:
        return httpx.get(f"{hub.url}/hub/health", timeout=2).status_code == 200
    except httpx.TransportError:
        return False
