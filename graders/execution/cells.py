"""The process that runs a learner's cells, and its snapshots, which each serve a channel.

Operations: `files` (a tar, unpacked here, where it can only hurt itself), `run` (a cell: `output` and `cut`
messages, then `done`), `snapshot` (with one descriptor, on which a fork of this process then serves `run` and
what a referee asks), `settle` (answered when all before is done), `mark` and `changed` (which names stand for
something else than at each mark), and `share` (with one descriptor, on which a fork takes `inspect`, each
with a descriptor for one test's referee, and says after each whether it is still as it was).
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from graders.execution.ambient import REGISTRY, watch_warnings
from graders.execution.facts import Facts
from graders.execution.files import unpack
from graders.execution.folder_state import FILES, FolderState
from graders.execution.shell import CellKernel
from graders.forkserver.channel import Channel, ChannelClosed, Message
from graders.forkserver.environment import EXTENSIONS_VARIABLE
from graders.referee.inspection import Inspection

ALARM_AFTER_SECONDS = 0.2
"""The grader has given the cell up by then, and waits for its end."""
MAX_TESTS_SECONDS = 2.0
"""Of processor time, which is bounded for a process: what has used as much serves no further test."""
TOLD = ("status", "ename", "evalue", "traceback", "execution_count")


def prepare() -> None:
    """Build and warm the kernel, in the process from which those that run cells are forked."""
    extensions = os.environ.pop(EXTENSIONS_VARIABLE, "")
    _kernel().warm(filter(None, extensions.split(",")))
    watch_warnings()


def serve(channel: Channel) -> None:
    """Run the cells that come over `channel`, until its other side has gone."""
    kernel = _kernel()
    kernel.start()
    _Cells(kernel, channel).serve()


@cache
def _kernel() -> CellKernel:
    return CellKernel()


class _Server:
    """Answers what comes over a channel; meanwhile the event loop goes on with what cells left running."""

    def __init__(self, kernel: CellKernel, channel: Channel) -> None:
        self._kernel = kernel
        self._channel = channel
        self._pid = os.getpid()
        kernel.outlet.connect(channel)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def serve(self) -> None:
        """Return when the other side has gone."""
        while True:
            try:
                message = self._kernel.loop.run_until_complete(self._next())
                self._answer(message)
            except ChannelClosed:
                return

    def _answer(self, message: Message) -> None:
        raise NotImplementedError

    async def _next(self) -> Message:
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(self._channel, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(self._channel)
        return self._channel.receive()

    def _run(self, request: dict[str, Any]) -> None:
        outlet = self._kernel.outlet
        outlet.open(request["cell"], request["max_bytes"], request["max_outputs"])
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            reply = self._kernel.loop.run_until_complete(
                self._kernel.execute(request["source"], request["cell"])
            )
        except KeyboardInterrupt:
            # It came when the cell had ended but for the last of its output.
            reply = {"status": "error", "ename": "KeyboardInterrupt", "evalue": "", "traceback": []}
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        if os.getpid() != self._pid:
            # The cell has forked, and this is the copy: it has nothing more to do.
            os._exit(0)
        outlet.done({key: reply[key] for key in TOLD if key in reply})


class _Cells(_Server):
    """Runs the cells of a notebook, and forks a snapshot where it is told to."""

    def __init__(self, kernel: CellKernel, channel: Channel) -> None:
        super().__init__(kernel, channel)
        self._given = dict(kernel.shell.user_ns)
        self._marks: list[Facts] = []
        self._end: Facts | None = None
        self._folder = Path.cwd()
        self._files: FolderState | None = None
        """At the last moment to which a process may have to go back."""
        self._files_at_marks: list[FolderState] = []

    def _answer(self, message: Message) -> None:
        match message.header["op"]:
            case "files":
                unpack(message.buffers[0], Path.cwd())
                self._channel.send({"op": "done"})
            case "run":
                self._run(message.header)
            case "snapshot":
                self._fork(message.fds[0], partial(_Snapshot, self._kernel, self._now()))
            case "mark":
                self._marks.append(self._facts())
                self._files_at_marks.append(self._now())
            case "changed":
                self._end = end = self._facts()
                files = self._now()
                names = [
                    json.dumps(sorted(mark.changed(end) | (set() if at_mark.is_as(files) else {FILES})))
                    for mark, at_mark in zip(self._marks, self._files_at_marks, strict=True)
                ]
                self._channel.send({"op": "changed", "names": names})
            case "settle":
                self._channel.send({"op": "settled"})
            case "share":
                files = self._files or self._now()
                self._fork(message.fds[0], partial(_Shared, self._kernel, files, self._facts, self._end))

    def _facts(self) -> Facts:
        return Facts(self._kernel.shell.user_ns, self._given)

    def _now(self) -> FolderState:
        self._files = FolderState(self._folder, self._files)
        return self._files

    def _fork(self, descriptor: int, server: Callable[[socket.socket], _Server]) -> None:
        # Python gives a fork other random numbers; a snapshot goes on as its original would.
        state = random.getstate()
        if os.fork():
            os.close(descriptor)
            return
        try:
            random.setstate(state)
            self._channel.close()
            self._kernel.go_on_after_fork()
            server(socket.socket(fileno=descriptor)).serve()
        finally:
            # Whatever came, this process must not go on as the one that it is a copy of.
            os._exit(0)


class _Snapshot(_Server):
    """What the notebook was at a test: runs the test, or tells a referee what it asks."""

    def __init__(self, kernel: CellKernel, files: FolderState, connection: socket.socket) -> None:
        channel = Channel(connection)
        super().__init__(kernel, channel)
        self._files: FolderState | None = files
        # As before each cell.
        kernel.shell.user_ns.pop(REGISTRY, None)
        self._inspection = Inspection(channel, kernel.shell.user_ns)

    def _answer(self, message: Message) -> None:
        if self._files is not None:
            # The notebook has ended, and so has the test before: nobody else needs the files now.
            self._files.restore()
            self._files = None
        if message.header["op"] == "run":
            with _alarm(message.header["seconds"] + ALARM_AFTER_SECONDS):
                self._run(message.header)
        else:
            self._inspection.handle(message)


class _Shared(_Server):
    """What the notebook was when it ended: one referee after another looks at it, while nobody changes it."""

    def __init__(
        self,
        kernel: CellKernel,
        files: FolderState,
        facts: Callable[[], Facts],
        first: Facts | None,
        connection: socket.socket,
    ) -> None:
        super().__init__(kernel, Channel(connection, max_fds=1))
        self._files = files
        self._facts = facts
        self._first = first or facts()

    def _answer(self, message: Message) -> None:
        _Snapshot(self._kernel, self._files, socket.socket(fileno=message.fds[0])).serve()
        signal.setitimer(signal.ITIMER_REAL, 0)
        is_same = time.process_time() < MAX_TESTS_SECONDS and self._facts().is_as(self._first)
        self._channel.send({"op": "looked", "same": is_same})


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Interrupt what runs after `seconds`: a copy of the learner's process is known to nobody but itself."""
    signal.signal(signal.SIGALRM, lambda _signal, _frame: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
