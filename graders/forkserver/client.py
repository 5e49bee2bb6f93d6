"""Asks a fork server for processes."""

from __future__ import annotations

import socket
from dataclasses import asdict
from pathlib import Path

from course.errors import SandboxUnavailable
from graders.forkserver.channel import MAX_BYTES, Channel, ChannelClosed
from graders.forkserver.limits import ProcessLimits, Role
from graders.forkserver.process import ForkedProcess

FORK_SECONDS = 30


class ForkServerFailed(Exception):
    """The fork server gave no process. Nothing was run; asking again may help."""


class ForkClient:
    """Asks the fork server behind an address for processes. Several threads may."""

    def __init__(self, address: Path, *, sandboxed: bool) -> None:
        self.address = address
        self.sandboxed = sandboxed

    def fork(
        self, role: Role, limits: ProcessLimits | None = None, *, max_bytes: int = MAX_BYTES
    ) -> ForkedProcess:
        """Return a new process that serves in a role.

        Args:
            role: What it does.
            limits: What its run may use.
            max_bytes: Bound of one message on its channel, see `Channel`.

        Raises:
            ForkServerFailed: There is none.
            SandboxUnavailable: It cannot be confined.
        """
        return self.start(role, limits or ProcessLimits(), max_bytes)

    def start(
        self, role: str, limits: ProcessLimits | None, max_bytes: int = MAX_BYTES, shared: str | None = None
    ) -> ForkedProcess:
        """Like `fork`, for any name in the server's table of roles.

        Args:
            role: The name.
            limits: None: not held by any, where nothing is confined.
            max_bytes: As for `fork`.
            shared: Name of a folder that it shares with the grader, see `Walls`.
        """
        ours, theirs = socket.socketpair()
        channel = Channel(ours, max_bytes=max_bytes)
        reached = socket.socket(socket.AF_UNIX)
        connection = Channel(reached, max_fds=1)
        try:
            with theirs:
                reached.connect(str(self.address))
                limited = None if limits is None else asdict(limits)
                request = {"role": role, "limits": limited, "shared": shared}
                connection.send(request, fds=[theirs.fileno()], timeout=FORK_SECONDS)
            answer = connection.receive(timeout=FORK_SECONDS)
        except (OSError, ChannelClosed) as error:
            channel.close()
            connection.close()
            raise ForkServerFailed(f"The fork server does not answer: {error}") from error
        if not answer.fds:
            channel.close()
            connection.close()
            if "busy" in answer.header:
                raise ForkServerFailed(f"The fork server has no process to give: {answer.header['busy']}")
            raise SandboxUnavailable(f"{answer.header.get('refused')}.")
        return ForkedProcess(
            pid=answer.header["started"],
            descriptor=answer.fds[0],
            channel=channel,
            connection=connection,
            sandboxed=self.sandboxed,
        )


def attach(address: Path, *, sandboxed: bool = True) -> ForkClient:
    """Return a client of the fork server that a `WarmParent` of another process owns.

    Args:
        address: Its `address`.
        sandboxed: Its `sandboxed`.
    """
    return ForkClient(address, sandboxed=sandboxed)
