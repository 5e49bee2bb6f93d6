"""The warm parent: imports what notebooks need, once, and forks a process for each that asks.

It runs nobody's code but ours and installed libraries, has one thread, and gets neither submissions nor
tests: what is in its memory is in the memory of all its children.
"""

from __future__ import annotations

import errno
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from graders.forkserver.channel import MIB, BadMessage, Channel, ChannelClosed
from graders.forkserver.confinement import Confinement, Walls
from graders.forkserver.huge_pages import collapse_memory
from graders.forkserver.limits import ProcessLimits
from graders.forkserver.served import Service, serve_confined, serve_unconfined, tell, tell_end, why_not
from graders.forkserver.system_calls import CLONE_NEWPID, set_namespace, unshare

ROLES: Mapping[str, str] = {
    "cells": "graders.execution.cells",
    "referee": "graders.referee.process",
    "kernel": "graders.forkserver.kernel",
}
"""Modules with `serve(channel)`, which runs in the forked process, and perhaps `prepare()`, run before it."""
TRIAL = {"trial": "graders.forkserver.trial"}
"""The role in which a child tries to get out; always there."""

MAX_MESSAGE_BYTES = 256 * MIB
REQUEST_SECONDS = 5
STAY = ("/usr/bin/sleep", "infinity")
PEER = struct.Struct("iII")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """What the fork server is started with, as its one argument: JSON."""

    listener: int
    """A unix socket that listens."""
    owner: int
    """A channel to who started it; the server ends when that is closed."""
    filter_descriptor: int | None
    """The compiled system call filter. None: nothing is confined."""
    imports: tuple[str, ...]
    roles: Mapping[str, str]
    by_root: bool
    """Whether root of the machine started it. An ordinary user's fork server has uid 0 as well, inside."""
    uids: tuple[int, int]
    """The first and the last of those whom children run as, one each; one for all without `by_root`."""
    paths: tuple[str, ...]
    """Folders with modules, beside those of the environment."""

    @classmethod
    def parse(cls, text: str) -> ServerSettings:
        given = json.loads(text)
        lists = {name: tuple(given[name]) for name in ("imports", "uids", "paths")}
        return cls(**{**given, **lists})


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    descriptor: int

    @classmethod
    def of(cls, pid: int) -> _Process:
        return cls(pid, os.pidfd_open(pid))

    def bury(self) -> int:
        """Return what `waitpid` says of this process, which has ended."""
        os.close(self.descriptor)
        return os.waitpid(self.pid, 0)[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    connection: Channel
    first: _Process
    """All of the run ends with it."""
    served: _Process | None = None
    """The one that serves, where `first` does not tell how it ends."""
    uid: int | None = None
    """Free again when the run has ended."""


class ForkServer:
    """Forks on request until its owner goes.

    Args:
        settings: What it was started with.
        roles: The imported module of each role.
        confinement: What holds its children; None for nothing.
    """

    def __init__(
        self, settings: ServerSettings, roles: Mapping[str, Any], confinement: Confinement | None
    ) -> None:
        self.roles = roles
        self.confinement = confinement
        self.listener = socket.socket(fileno=settings.listener)
        first, last = settings.uids
        self.free_uids = list(range(first, last + 1))
        # A child that closes its descriptors closes nothing of this.
        self.selector = selectors.PollSelector()
        self.own_processes = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self.selector.register(self.listener, selectors.EVENT_READ, self._accept)
        self.runs: set[int] = set()
        self.owned = True
        self.retired = False

    def serve(self, owner: Channel) -> None:
        """Return when the owner has gone, or has told it to retire and nothing is left that it has forked."""
        self.selector.register(owner, selectors.EVENT_READ, lambda: self._hear(owner))
        while self.owned and not (self.retired and not self.runs):
            for key, _ in self.selector.select():
                # What came before may have closed it, and another may have its number.
                if self.selector.get_map().get(key.fd) is key:
                    key.data()

    def _hear(self, owner: Channel) -> None:
        try:
            owner.receive()
        except ChannelClosed:
            self.owned = False
        else:
            self.retired = True
            self.selector.unregister(self.listener)
            self.listener.close()

    def _accept(self) -> None:
        accepted, _ = self.listener.accept()
        connection = Channel(accepted, max_fds=1)
        _, uid, _ = PEER.unpack(accepted.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
        descriptors: tuple[int, ...] = ()
        try:
            if uid != os.getuid():
                connection.close()
                return
            request = connection.receive(timeout=REQUEST_SECONDS)
            descriptors = request.fds
            self._watch(self._fork(connection, request.header, descriptors))
        except (ChannelClosed, BadMessage, TimeoutError):
            connection.close()
        except OSError as error:
            tell(connection, {why_not(error): f"{error}"})
            connection.close()
        except (LookupError, TypeError) as error:
            tell(connection, {"refused": f"{type(error).__name__}: {error}"})
            connection.close()
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _fork(self, connection: Channel, request: dict[str, Any], descriptors: Sequence[int]) -> _Run:
        (descriptor,) = descriptors
        role = self.roles[request["role"]]
        limits = None if request["limits"] is None else ProcessLimits(**request["limits"])
        service = Service(lambda: _serve_role(role.serve, descriptor), (descriptor,))
        if self.confinement is not None:
            walls = Walls(limits or ProcessLimits(), self._next_uid(), request["shared"])
            return self._fork_confined(connection, service, self.confinement, walls)
        pid = os.fork()
        if pid == 0:
            _never_return(serve_unconfined, connection, service, limits)
        return _Run(connection=connection, first=_Process.of(pid))

    def _fork_confined(
        self, connection: Channel, service: Service, confinement: Confinement, walls: Walls
    ) -> _Run:
        # The next process is the first of a new namespace, and further ones join it. Only the second is a
        # copy of this large one. The first has nothing to do but to stay.
        unshare(CLONE_NEWPID)
        try:
            first = _Process.of(os.posix_spawn(STAY[0], STAY, {}))
            try:
                pid = os.fork()
            except OSError:
                signal.pidfd_send_signal(first.descriptor, signal.SIGKILL)
                first.bury()
                raise
            if pid == 0:
                _never_return(serve_confined, connection, service, confinement, walls)
        finally:
            set_namespace(self.own_processes, CLONE_NEWPID)
        if confinement.by_root:
            self.free_uids.remove(walls.uid)
        return _Run(
            connection=connection,
            first=first,
            served=_Process.of(pid),
            uid=walls.uid if confinement.by_root else None,
        )

    def _next_uid(self) -> int:
        if not self.free_uids:
            raise OSError(errno.EAGAIN, "as many processes run as there are uids for them")
        return self.free_uids[-1]

    def _watch(self, run: _Run) -> None:
        # The grader sends nothing more: its end of the connection becomes readable when it closes it.
        self.selector.register(run.connection, selectors.EVENT_READ, lambda: self._kill(run))
        self.selector.register(run.first.descriptor, selectors.EVENT_READ, lambda: self._bury(run))
        if (served := run.served) is not None:
            self.selector.register(
                served.descriptor, selectors.EVENT_READ, lambda: self._tell(run.connection, served)
            )
        self.runs.add(run.first.pid)

    def _tell(self, connection: Channel, served: _Process) -> None:
        self.selector.unregister(served.descriptor)
        tell_end(connection, served.bury())

    def _kill(self, run: _Run) -> None:
        self.selector.unregister(run.connection)
        wanted = signal.SIGTERM if self.confinement is None else signal.SIGKILL
        signal.pidfd_send_signal(run.first.descriptor, wanted)

    def _bury(self, run: _Run) -> None:
        # The first process of a namespace ends after all others were buried.
        self.selector.unregister(run.first.descriptor)
        run.first.bury()
        self.runs.remove(run.first.pid)
        if run.connection in self.selector.get_map():
            self.selector.unregister(run.connection)
        run.connection.close()
        if run.uid is not None:
            self.free_uids.append(run.uid)


def _never_return(run: Callable[..., NoReturn], *arguments: object) -> NoReturn:
    """Run the rest of a forked process's life; whatever happens, it does not become another fork server."""
    try:
        run(*arguments)
    finally:
        os._exit(1)


def _serve_role(serve: Callable[[Channel], None], descriptor: int) -> None:
    channel = Channel(socket.socket(fileno=descriptor), max_bytes=MAX_MESSAGE_BYTES, max_fds=8)
    try:
        serve(channel)
    except Exception:
        channel.send({"failed": traceback.format_exc()[-4000:]}, timeout=1)
        raise


def prepare(settings: ServerSettings) -> tuple[dict[str, Any], list[str]]:
    """Import everything; return the role modules, and what could not be imported and why."""
    sys.path += settings.paths
    problems = []
    for name in settings.imports:
        try:
            importlib.import_module(name)
        except Exception as error:
            problems.append(f"{name}: {type(error).__name__}: {error}")
    roles = {role: importlib.import_module(module) for role, module in {**settings.roles, **TRIAL}.items()}
    for module in roles.values():
        if hasattr(module, "prepare"):
            module.prepare()
    return roles, problems


def main(argument: str) -> NoReturn:
    """Serve until the owner goes. All that runs within the same sandbox ends with this process."""
    settings = ServerSettings.parse(argument)
    owner = Channel(socket.socket(fileno=settings.owner))
    confinement = (
        None
        if settings.filter_descriptor is None
        else Confinement.of_this_machine(settings.filter_descriptor, by_root=settings.by_root)
    )
    roles, problems = prepare(settings)
    server = ForkServer(settings, roles, confinement)
    for descriptor in (settings.listener, settings.owner):
        os.set_inheritable(descriptor, False)
    gc.collect()
    gc.disable()
    gc.freeze()
    collapse_memory()
    owner.send({"ready": True, "problems": problems, "threads": len(os.listdir("/proc/self/task"))})
    server.serve(owner)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
