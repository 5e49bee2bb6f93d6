"""Runs a fork server: the command, the sandbox around it, its start and its end."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from course.errors import SandboxUnavailable
from graders.forkserver.channel import Channel, ChannelClosed
from graders.forkserver.confinement import ALL_SHARED, HOME, SHARED
from graders.forkserver.environment import EXTENSIONS_VARIABLE, Fingerprint, WarmEnvironment
from graders.forkserver.server import ServerSettings
from graders.sandbox.bubblewrap import FILTER_DESCRIPTOR, sandboxed
from graders.sandbox.policy import FORKED_UIDS, Bind, SandboxPolicy, course_content, python_environment
from graders.sandbox.selftest import check_programs, cure

PACKAGES_INSIDE = ("course", "extensions", "graders")
START_SECONDS = 60
END_SECONDS = 5
OPEN_FILES = 4096
UIDS_OF_ONE_SERVER = 128
COMPLAINT_BYTES = 4096
MODULES_INSIDE = Path("/srv/modules")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a fork server is started."""

    environment: WarmEnvironment
    roles: Mapping[str, str]
    confined: bool
    variables: Mapping[str, str]
    """Its environment variables, and those of its children. Confined: fit to be seen by all."""
    shared: Path
    """Folder with the folders that the grader shares with runs, one each."""


class ServerProcess:
    """One process of the fork server, with the shell and bubblewrap around it.

    Args:
        launch: How it is started.
        listener: Where it takes requests.
        marker: A word in the environment of who started it.
    """

    def __init__(self, launch: Launch, listener: socket.socket, marker: str) -> None:
        self.fingerprint = launch.environment.fingerprint()
        ours, theirs = socket.socketpair()
        self.owner = Channel(ours)
        self.complaints = os.memfd_create("spoc-fork-complaints")
        variables = {**launch.variables, EXTENSIONS_VARIABLE: ",".join(launch.environment.extensions)}
        with theirs, _above_filter(listener) as taken, _above_filter(theirs) as owner:
            settings = _settings(launch, taken.fileno(), owner.fileno())
            command = [f"{launch.environment.python}", "-P", "-m", "graders.forkserver.server", settings]
            if launch.confined:
                check_programs()
                command = sandboxed(command, _policy(launch, variables))
            self.process = subprocess.Popen(
                command,
                pass_fds=(taken.fileno(), owner.fileno()),
                cwd="/",
                # Confined, all of these are replaced; the trial looks for the marker.
                env={**os.environ, "SPOC_SELFTEST": marker} if launch.confined else variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.complaints,
                start_new_session=True,
            )

    def wait_until_ready(self) -> tuple[str, ...]:
        """Return what could not be imported.

        Raises:
            SandboxUnavailable: It does not start.
        """
        try:
            answer: dict[str, Any] = self.owner.receive(timeout=START_SECONDS).header
        except (ChannelClosed, TimeoutError) as error:
            complaint = self._complaint()
            raise SandboxUnavailable(
                f"The fork server does not start: {complaint}", cure(complaint)
            ) from error
        if answer["threads"] != 1:
            raise SandboxUnavailable(
                f"An imported library has started {answer['threads'] - 1} threads: no safe fork of them.",
                "Take it off the list of libraries that are imported before grading.",
            )
        return tuple(answer["problems"])

    def fits(self, fingerprint: Fingerprint) -> bool:
        return self.process.poll() is None and self.fingerprint == fingerprint

    def retire(self) -> None:
        """Let it take no more requests, and end when nothing is left that it has forked."""
        self.owner.send({"retire": True}, timeout=END_SECONDS)

    def end(self) -> None:
        """End it, and with it all that it has forked."""
        self.owner.hang_up()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.complaints)

    def _complaint(self) -> str:
        size = os.fstat(self.complaints).st_size
        end = os.pread(self.complaints, COMPLAINT_BYTES, max(0, size - COMPLAINT_BYTES))
        return end.decode(errors="replace").strip()


def _above_filter(given: socket.socket) -> socket.socket:
    """Return a copy whose number the descriptor of the system call filter does not take."""
    return socket.socket(fileno=fcntl.fcntl(given, fcntl.F_DUPFD_CLOEXEC, FILTER_DESCRIPTOR + 1))


def _settings(launch: Launch, listener: int, owner: int) -> str:
    environment = launch.environment
    modules = [bind.inside if launch.confined else bind.source for bind in _own_modules(environment)]
    settings = ServerSettings(
        listener=listener,
        owner=owner,
        filter_descriptor=FILTER_DESCRIPTOR if launch.confined else None,
        imports=(*environment.imports, *environment.extensions),
        roles=dict(launch.roles),
        by_root=os.geteuid() == 0,
        uids=_uids_of_a_server(),
        paths=tuple(map(str, modules)),
    )
    return json.dumps(asdict(settings))


def _own_modules(environment: WarmEnvironment) -> tuple[Bind, ...]:
    return tuple(Bind(path, MODULES_INSIDE / f"{number}") for number, path in enumerate(environment.paths))


def _policy(launch: Launch, variables: Mapping[str, str]) -> SandboxPolicy:
    return SandboxPolicy(
        work_dir=Path(HOME),
        scratch=(Path(HOME),),
        read_only=(*python_environment(*PACKAGES_INSIDE), *_own_modules(launch.environment)),
        hidden=(*course_content(), Path(SHARED)),
        writable=(Bind(launch.shared, Path(ALL_SHARED)),),
        environment=variables,
        # What has seen tests must not pass them on by a file that is the same for all.
        locks_files=False,
        outlives_caller=True,
        confines_children=True,
        memory_bytes=None,
        file_bytes=None,
        processes=None,
        open_files=OPEN_FILES,
    )


def _uids_of_a_server() -> tuple[int, int]:
    """Return the first and last uid for the children of a fork server of this process.

    An ordinary user has no other than its own. Two servers of root may have the same: their processes are
    counted together then, no more.
    """
    if os.geteuid() != 0:
        return os.geteuid(), os.geteuid()
    blocks = len(FORKED_UIDS) // UIDS_OF_ONE_SERVER
    block = FORKED_UIDS[os.getpid() % blocks * UIDS_OF_ONE_SERVER :][:UIDS_OF_ONE_SERVER]
    return block[0], block[-1]
