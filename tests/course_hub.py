"""A real hub with the demo's course and cohort, and its members as clients of their own sandboxed servers."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from course.database import Database
from course.invitations import Invitations
from course.state import StateFolder
from hub_config.hub_process import running_hub
from hub_config.runtime import free_port
from hub_config.settings import Settings, read_settings, write_settings
from tests.roster_hub import USER_AGENT, join
from tests.waiting import wait_until

PASSWORD = "correct horse battery"
CELL_SECONDS = 60


@dataclass
class CourseMember:
    """One person at the hub. `client` carries a token of that person, `browser` the cookies of a sign-in."""

    name: str
    client: httpx.Client
    browser: httpx.Client
    _kernel: str = field(default="", repr=False)

    def start_server(self) -> None:
        """Start this person's server and wait until it is ready."""
        started = self.client.post(f"/hub/api/users/{self.name}/server")
        assert started.status_code in (201, 202, 400), started.text
        wait_until(self.server_is_ready, 120)

    def stop_server(self) -> None:
        self.client.delete(f"/hub/api/users/{self.name}/server").raise_for_status()
        wait_until(lambda: not self.servers(), 60)
        self._kernel = ""

    def servers(self) -> dict[str, dict[str, object]]:
        user = self.client.get(f"/hub/api/users/{self.name}").raise_for_status().json()
        return dict(user["servers"] or {})

    def server_is_ready(self) -> bool:
        return any(server["ready"] for server in self.servers().values())

    def run(self, code: str) -> str:
        """Run `code` in a course kernel of this person's server; return what it printed.

        Raises:
            RuntimeError: It raised; the text is the exception's.
        """
        kernels = f"/user/{self.name}/api/kernels"
        if not self._kernel:
            self._kernel = self.client.post(kernels, json={"name": "spoc"}).raise_for_status().json()["id"]
        url = self.client.base_url.join(f"{kernels}/{self._kernel}/channels")
        headers = {"Authorization": self.client.headers["Authorization"]}
        request = HTTPRequest(str(url).replace("http", "ws", 1), headers=headers)
        return asyncio.run(asyncio.wait_for(_run(request, code), CELL_SECONDS))


@dataclass
class CourseHub:
    """A running hub. `url` is without a slash at its end."""

    state: StateFolder
    settings: Settings
    _members: dict[str, CourseMember] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return self.settings.url

    def invite(self, name: str) -> str:
        """Return the address of a new invitation."""
        database = Database(self.state.database_url)
        token = Invitations(database).issue(name, datetime.now(UTC))
        database.close()
        return f"{self.url}/hub/invitation?token={token}"

    def browser(self) -> httpx.Client:
        """Return a client that acts as a browser in which nobody is signed in."""
        return self._open.enter_context(
            httpx.Client(base_url=self.url, headers=USER_AGENT, follow_redirects=True, timeout=60)
        )

    def member(self, name: str) -> CourseMember:
        """Return a member of the demo cohort, signed in; the same one each time."""
        if name not in self._members:
            browser = self.browser()
            assert join(browser, self.invite(name), PASSWORD).status_code == 302
            browser.get("/hub/home")
            xsrf = {"X-XSRFToken": browser.cookies.get("_xsrf", path="/hub/") or ""}
            reply = browser.post(f"/hub/api/users/{name}/tokens", json={"note": "test"}, headers=xsrf)
            token = reply.raise_for_status().json()["token"]
            client = httpx.Client(base_url=self.url, headers={"Authorization": f"token {token}"}, timeout=60)
            self._members[name] = CourseMember(name, self._open.enter_context(client), browser)
        return self._members[name]

    def close(self) -> None:
        self._open.close()


@contextmanager
def course_hub(demo: StateFolder, folder: Path) -> Iterator[CourseHub]:
    """Copy the demo to `folder` and run its hub; stop it at the end."""
    state = StateFolder(Path(shutil.copytree(demo.root, folder)))
    settings = read_settings(state).model_copy(update={"port": free_port()})
    write_settings(state, settings)
    with running_hub(state, settings):
        hub = CourseHub(state, settings)
        try:
            yield hub
        finally:
            hub.close()


async def _run(request: HTTPRequest, code: str) -> str:
    connection = await websocket_connect(request)
    message_id = uuid4().hex
    header = {"msg_id": message_id, "msg_type": "execute_request", "username": "", "session": uuid4().hex}
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
    request_message = {"header": header | {"version": "5.3", "date": ""}, "parent_header": {}, "metadata": {}}
    await connection.write_message(
        json.dumps(request_message | {"content": content, "channel": "shell", "buffers": []})
    )
    try:
        return await _printed(connection, message_id)
    finally:
        connection.close()
        while await connection.read_message() is not None:
            pass


async def _printed(connection: WebSocketClientConnection, message_id: str) -> str:
    printed, reply, idle = "", None, False
    while reply is None or not idle:
        raw = await connection.read_message()
        assert isinstance(raw, str), "the connection to the kernel was closed"
        message = json.loads(raw)
        if message["parent_header"].get("msg_id") != message_id:
            continue
        content = message["content"]
        if message["msg_type"] == "stream":
            printed += content["text"]
        elif message["msg_type"] == "execute_reply":
            reply = content
        elif message["msg_type"] == "status":
            idle = content["execution_state"] == "idle"
    if reply["status"] == "error":
        raise RuntimeError(f"{reply['ename']}: {reply['evalue']}")
    return printed
