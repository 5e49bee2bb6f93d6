"""Starts each member's JupyterLab in a sandbox of its own, reached by one unix socket."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from jupyterhub.spawner import LocalProcessSpawner, SpawnException
from traitlets import Unicode

from course.database import Database
from course.events import Event, EventStore
from course.roster import Member, Roster
from course.state import StateFolder
from graders.sandbox.bubblewrap import sandboxed
from hub_config.member_server import SERVER_SOCKET, member_environment, prepare_folders, server_policy
from hub_config.runtime import RuntimeFolder, runtime_folder, socket_url

# The wrapper's own redirections use single digits.
FIRST_FREE_DESCRIPTOR = 10
POLL_SECONDS = 0.2


class SandboxSpawner(LocalProcessSpawner):
    """Needs no system account for a member; what a server may touch is said in `hub_config.member_server`."""

    state_dir = Unicode(help="The deployment's state folder.", config=True)

    # Of the whole hub: more servers starting at once would only make each of them late.
    turns = asyncio.Semaphore(2 * (os.cpu_count() or 1))

    process_started = ""

    @property
    def state(self) -> StateFolder:
        return StateFolder(Path(self.state_dir))

    @property
    def runtime(self) -> RuntimeFolder:
        return runtime_folder(self.state)

    @property
    def server(self) -> Any:
        server = LocalProcessSpawner.server.fget(self)
        # JupyterHub would append ":80" to the socket's path, and the proxy look for a file of that name.
        if server is not None and server.proto == "http+unix" and not server.connect_url:
            server.connect_url = f"http+unix://{server.ip}"
        return server

    @server.setter
    def server(self, server: Any) -> None:
        LocalProcessSpawner.server.fset(self, server)

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        return env | member_environment(self.user.name, self.server.base_url)

    async def start(self) -> str:
        """Start the server and return its address once it answers.

        Raises:
            SpawnException: The person is not in the roster, or the server ended while it started.
        """
        member = await asyncio.to_thread(self._member)
        await asyncio.to_thread(prepare_folders, member, self.state, self.runtime)
        async with self.turns:
            self._launch(member)
            await self._answers()
        # In a thread, because a write may wait for its turn and the hub must not.
        await asyncio.to_thread(self._record_start)
        return socket_url(self.runtime.server_socket(member.name))

    async def stop(self, now: bool = False) -> None:
        """End the server and all that it started."""
        # The wrapper waits out the first signal of a gentle stop, and no signal of it reaches the server.
        await super().stop(now=True)
        self.runtime.server_socket(self.user.name).unlink(missing_ok=True)

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"process_started": self.process_started}

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self.process_started = state.get("process_started", "")

    async def _signal(self, sig: int) -> bool:
        # After a restart of the machine another process may have the number that the hub remembers.
        if _process_started(self.pid) != self.process_started:
            return False
        return await super()._signal(sig)

    def _member(self) -> Member:
        with closing(Database(self.state.database_url)) as database:
            member = Roster(database).find(self.user.name)
        if member is None:
            raise SpawnException(f"{self.user.name} is not a member of this cohort.", reason="not-a-member")
        return member

    def _record_start(self) -> None:
        started = Event(uuid4(), self.user.name, "server.started", datetime.now(UTC), self.name, {})
        with closing(Database(self.state.database_url)) as database:
            EventStore(database).record(started)

    def _launch(self, member: Member) -> None:
        policy = server_policy(member, self.state, self.runtime, self.mem_limit or None)
        with _listen(self.runtime.server_socket(member.name)) as listener, self._log().open("wb") as log:
            command = [sys.executable, "-P", "-m", "extensions.server"]
            environment = self.get_env() | {"SPOC_SERVER_DESCRIPTOR": str(listener.fileno())}
            self.proc = subprocess.Popen(
                sandboxed([*command, f"--ServerApp.sock={SERVER_SOCKET}", *self.get_args()], policy),
                env=environment,
                cwd="/",
                pass_fds=(listener.fileno(),),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.pid = self.proc.pid
        self.process_started = _process_started(self.pid)

    def _log(self) -> Path:
        folder = self.state.hub_dir / "servers"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder / f"{self.user.name}.log"

    async def _answers(self) -> None:
        """Return when the server has answered; raise when it ended before."""
        path = self.runtime.server_socket(self.user.name)
        answered = asyncio.ensure_future(_first_answer(path, f"{self.server.base_url}api"))
        try:
            while not answered.done() and self.proc.poll() is None:
                await asyncio.wait([answered], timeout=POLL_SECONDS)
            if not (answered.done() and answered.result()):
                self.log.error("The server of %s ended; its log is %s", self.user.name, self._log())
                raise SpawnException("It ended while it started.", reason="ended")
        finally:
            answered.cancel()


def _listen(path: Path) -> socket.socket:
    """Return a listening unix socket at `path`, with a descriptor that the sandbox's wrapper leaves alone."""
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(128)
        descriptor = fcntl.fcntl(listener.fileno(), fcntl.F_DUPFD_CLOEXEC, FIRST_FREE_DESCRIPTOR)
    return socket.socket(fileno=descriptor)


async def _first_answer(path: Path, url_path: str) -> bytes:
    """Return the first line of the server's answer; empty when the server ends without one."""
    # The socket listens from before the server's start: one request waits in its queue until it is taken.
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(f"GET {url_path} HTTP/1.0\r\n\r\n".encode())
        return await reader.readline()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def _process_started(pid: int) -> str:
    """Return when a process began, in the kernel's ticks since boot; empty when there is none."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The second field is the program's name in parentheses and may hold anything; the 22nd is the time.
    return status.rpartition(")")[2].split()[19]
