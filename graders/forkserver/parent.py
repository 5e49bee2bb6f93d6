"""Starts fork servers, and asks them for processes.

One `WarmParent` owns the fork server: it starts it, starts another when that one has died or what is
installed has changed, and ends it. Other processes reach the same server by `attach`.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import socket
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from course.errors import SandboxUnavailable
from graders.forkserver.channel import MAX_BYTES, ChannelClosed
from graders.forkserver.client import FORK_SECONDS, ForkClient, ForkServerFailed, attach
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.launch import Launch, ServerProcess
from graders.forkserver.limits import ExitStatus, ProcessLimits, Role
from graders.forkserver.process import ForkedProcess
from graders.forkserver.server import ROLES
from graders.sandbox.folders import make_folder, sweep_folders
from graders.sandbox.provisioner import ENVIRONMENT
from graders.sandbox.selftest import refuse_escapes, something_to_find

__all__ = [
    "ExitStatus",
    "ForkClient",
    "ForkServerFailed",
    "ForkedProcess",
    "ProcessLimits",
    "Role",
    "WarmEnvironment",
    "WarmParent",
    "attach",
]

log = logging.getLogger(__name__)

BACKLOG = 128


class WarmParent(ForkClient):
    """Owns a fork server, which is started by the first use or by entering its context.

    A process that was forked from the owner uses it like `attach`: it neither restarts nor ends it.

    Args:
        environment: What is imported before the fork.
        unsafe_no_sandbox: Run without any wall; each process says so by `sandboxed`.
        roles: Module of each role; those of the product unless told otherwise.
        variables: Environment variables of the fork server and its children; see `Launch`.

    Attributes:
        shared: Folder of this process alone. A folder in it can be shared with one run, see `Walls`.
        problems: What could not be imported, each with the reason.
    """

    def __init__(
        self,
        environment: WarmEnvironment,
        *,
        unsafe_no_sandbox: bool = False,
        roles: Mapping[str, str] = ROLES,
        variables: Mapping[str, str] = ENVIRONMENT,
    ) -> None:
        self.problems: tuple[str, ...] = ()
        sweep_folders()
        self._folder = make_folder("fork")
        self.shared = self._folder / "shared"
        self.shared.mkdir()
        self._launch = Launch(
            environment=environment,
            roles=roles,
            confined=not unsafe_no_sandbox,
            variables=variables,
            shared=self.shared,
        )
        super().__init__(self._folder / "server.sock", sandboxed=not unsafe_no_sandbox)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.address))
        self._listener.listen(BACKLOG)
        self._lock = threading.RLock()
        self._owner_pid = os.getpid()
        self._server: ServerProcess | None = None
        self._retired: list[ServerProcess] = []

    def __enter__(self) -> Self:
        try:
            self.ensure_running()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def fork(
        self, role: Role, limits: ProcessLimits | None = None, *, max_bytes: int = MAX_BYTES
    ) -> ForkedProcess:
        """Return a new process that serves in a role; starts the fork server when it is not running.

        Raises as `ForkClient.fork`, and as `ensure_running`.
        """
        self.ensure_running()
        try:
            return super().fork(role, limits, max_bytes=max_bytes)
        except ForkServerFailed:
            # It died just now.
            self.ensure_running()
            return super().fork(role, limits, max_bytes=max_bytes)

    def ensure_running(self) -> None:
        """Start a fork server when none runs, or the one that runs is of another environment.

        An owner whose fork server is used by other processes only calls this now and then. What the former
        server has forked goes on.

        Raises:
            SandboxUnavailable: It does not start, or something gets out of it.
        """
        if os.getpid() != self._owner_pid:
            return
        with self._lock:
            fingerprint = self._launch.environment.fingerprint()
            if self._server is not None and self._server.fits(fingerprint):
                return
            if self._server is not None:
                self._retire(self._server)
            self._server = None
            self._server = self._start()

    def close(self) -> None:
        """End the fork server and all that it has forked."""
        if os.getpid() != self._owner_pid:
            return
        with self._lock:
            for server in (*self._retired, *([self._server] if self._server else [])):
                server.end()
            self._server, self._retired = None, []
            self._listener.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _retire(self, server: ServerProcess) -> None:
        ended = [former for former in self._retired if former.process.poll() is not None]
        for former in (*ended, *([server] if server.process.poll() is not None else [])):
            former.end()
        self._retired = [former for former in self._retired if former not in ended]
        if server.process.returncode is None:
            log.info("What is installed has changed: starting another fork server.")
            server.retire()
            self._retired.append(server)
        else:
            log.warning("The fork server has died: starting another one.")

    def _start(self) -> ServerProcess:
        marker = "spoc-" + secrets.token_hex(8)
        server = ServerProcess(self._launch, self._listener, marker)
        try:
            self.problems = server.wait_until_ready()
            if self.sandboxed:
                self._try_to_escape(marker)
        except ForkServerFailed as error:
            server.end()
            raise SandboxUnavailable(f"The sandbox cannot be tried: {error}") from error
        except BaseException:
            server.end()
            raise
        return server

    def _try_to_escape(self, marker: str) -> None:
        with (
            something_to_find(marker) as (folder, port),
            self.start("trial", ProcessLimits(), MAX_BYTES) as trial,
        ):
            secret = f"{folder / 'hidden' / 'secret'}"
            question = {"secret": secret, "marker": marker, "port": f"{port}", "address": f"{self.address}"}
            trial.channel.send(question, timeout=FORK_SECONDS)
            try:
                answer = trial.channel.receive(timeout=FORK_SECONDS).header
            except (ChannelClosed, TimeoutError) as error:
                raise SandboxUnavailable(f"The trial of the sandbox did not end: {error}") from error
        if not isinstance(answer.get("found"), list):
            raise SandboxUnavailable(f"The trial of the sandbox failed: {answer.get('failed')}")
        refuse_escapes(answer["found"])
