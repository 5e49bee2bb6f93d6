"""A real JupyterHub with nothing but the course service: the smallest deployment a test can talk to."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx

from hub_config.proxy import proxy_command
from tests.hub_in_folder import free_ports, hub_in_folder

START_SECONDS = 60
PREFIX = "/services/course/"
SERVICE_SCOPE = "access:services!service=course"

CONFIG = """
import json
given = json.loads({given!r})
c.JupyterHub.bind_url = f"http://127.0.0.1:{{given['proxy_port']}}"
c.JupyterHub.hub_port = given["hub_port"]
c.JupyterHub.db_url = "sqlite:///" + given["folder"] + "/hub.sqlite"
c.JupyterHub.cookie_secret_file = given["folder"] + "/cookie_secret"
c.ConfigurableHTTPProxy.command = given["proxy_command"]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{{given['proxy_api_port']}}"
c.ConfigurableHTTPProxy.auth_token = given["admin_token"]
c.ConfigurableHTTPProxy.pid_file = given["folder"] + "/proxy.pid"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.services = [
    {{"name": "test-admin", "api_token": given["admin_token"]}},
    {{
        "name": "course",
        "url": f"http://127.0.0.1:{{given['service_port']}}",
        "command": [given["python"], "-m", given["service"], "--state-dir", given["state"]],
        "environment": {{"SPOC_SERVICE_SOCKET": given["socket"]}},
        "oauth_no_confirm": True,
    }},
]
c.JupyterHub.load_roles = [
    {{"name": "test-admin", "services": ["test-admin"], "scopes": ["admin:users", "tokens"]}},
    {{"name": "user", "scopes": ["self", {scope!r}]}},
]
"""


@dataclass(frozen=True, slots=True)
class MinimalHub:
    """A running hub. `url` is the proxy's, without a slash at its end."""

    url: str
    api_url: str
    service_url: str
    socket: Path
    process: subprocess.Popen[bytes]
    _admin_token: str = field(repr=False)

    def token(self, user: str, scopes: Sequence[str] = (SERVICE_SCOPE,)) -> str:
        """Return a new token of `user`, whom the hub gets to know."""
        with httpx.Client(headers={"Authorization": f"token {self._admin_token}"}) as client:
            client.post(f"{self.api_url}/users/{user}")
            reply = client.post(f"{self.api_url}/users/{user}/tokens", json={"scopes": list(scopes)})
        reply.raise_for_status()
        return str(reply.json()["token"])

    def end_tokens(self, user: str) -> None:
        """Make the hub forget every token of `user`."""
        with httpx.Client(headers={"Authorization": f"token {self._admin_token}"}) as client:
            tokens = f"{self.api_url}/users/{user}/tokens"
            for token in client.get(tokens).raise_for_status().json()["api_tokens"]:
                client.delete(f"{tokens}/{token['id']}").raise_for_status()

    def environment_of(self, user: str, language: str = "en") -> dict[str, str]:
        """Return what the server of `user` has in its environment to reach the course service."""
        socket_path = quote(str(self.socket), safe="")
        return {
            "SPOC_SERVICE_URL": f"http+unix://{socket_path}{PREFIX}",
            "SPOC_LANGUAGE": language,
            "JUPYTERHUB_USER": user,
            "JUPYTERHUB_API_TOKEN": self.token(user),
        }

    def service_pid(self) -> int:
        """Return the process id of the course service."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in children:
            if b"hub_config.service" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
        raise LookupError("the course service does not run")


@contextmanager
def running_hub(folder: Path, state: Path, service: str = "hub_config.service") -> Iterator[MinimalHub]:
    """Start a hub with its files in `folder` that serves the state folder `state`; stop it at the end.

    `service` is the module that is run as the course service.
    """
    proxy_port, hub_port, proxy_api_port, service_port = free_ports(4)
    given = {
        "folder": str(folder),
        "state": str(state),
        "service": service,
        "socket": str(folder / "course.sock"),
        "python": sys.executable,
        "proxy_command": proxy_command(),
        "proxy_port": proxy_port,
        "hub_port": hub_port,
        "proxy_api_port": proxy_api_port,
        "service_port": service_port,
        "admin_token": secrets.token_hex(16),
    }
    with hub_in_folder(folder, CONFIG.format(given=json.dumps(given), scope=SERVICE_SCOPE)) as process:
        hub = MinimalHub(
            url=f"http://127.0.0.1:{proxy_port}",
            api_url=f"http://127.0.0.1:{hub_port}/hub/api",
            service_url=f"http://127.0.0.1:{service_port}{PREFIX}",
            socket=folder / "course.sock",
            process=process,
            _admin_token=str(given["admin_token"]),
        )
        _wait_until_ready(hub, folder / "hub.log")
        yield hub


def _wait_until_ready(hub: MinimalHub, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and hub.process.poll() is None:
        try:
            if all(
                httpx.get(url, timeout=2).status_code == 200
                for url in (hub.service_url + "health", f"{hub.url}{PREFIX}health", f"{hub.url}/hub/health")
            ):
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError(f"the hub did not become ready:\n{log.read_text()}")
