"""The process in which tests run: it has the instructor's files and tests, and never runs learner code."""

from __future__ import annotations

import ast
import linecache
import os
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from graders.execution.files import unpack
from graders.forkserver.channel import Channel, ChannelClosed
from graders.referee.handles import is_remote
from graders.referee.modules import ModulesInMemory
from graders.referee.namespace import TestNamespace
from graders.referee.outputs import Outputs, TooMuchOutput
from graders.referee.peer import PeerLost
from graders.referee.questions import LearnerState
from graders.referee.seeds import shared_seeds
from graders.referee.sharing import Sharing
from graders.referee.values import NotData

PROCESS_LOST = "LearnerProcessLost"
"""The name of the error when there was nobody left to ask."""


class OutOfTime(BaseException):
    """The test's time is up."""


def prepare() -> None:
    """Load what a first test, a first error and a first table would load, here and in learners' processes."""
    Outputs(1000).result(0.5)
    try:
        exec(compile("1/0", "warm", "exec"), {})  # noqa: S102
    except ZeroDivisionError as error:
        traceback.format_exception(error)
    if (pandas := sys.modules.get("pandas")) is not None:
        one, other = (Sharing(first, _nothing, _nothing) for first in (0, 1))
        table = pandas.DataFrame({"text": ["a"], "number": [1]})
        other.read(*one.write([table, table["number"]]))


def _nothing(value: object, *_: object) -> object:
    raise NotData(f"There is no {value!r}.")


def serve(channel: Channel) -> None:
    """Judge the tests that come over `channel`, until its other side has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        opening = channel.receive()
        header = opening.header
        # Where libraries look for settings is not where learner code made files.
        os.environ["HOME"] = tempfile.mkdtemp(
            prefix=".home-", dir=None if header["sandboxed"] else Path.cwd()
        )
        runner = TestRunner(
            header["imports"],
            header["defined"],
            header["helpers"],
            files=opening.buffers[0],
            roots=[str(Path.cwd()), *([tempfile.gettempdir()] if header["sandboxed"] else [])],
        )
        channel.send({"op": "opened"})
        while True:
            message = channel.receive()
            snapshot = Channel(socket.socket(fileno=message.fds[0]))
            channel.send(runner.judge(message.header, snapshot))
    except ChannelClosed:
        return


class TestRunner:
    """Runs the tests of one notebook.

    Args:
        imports: Import statements of the instructor's notebook, by the names that they bind.
        defined: Names that its other statements bind.
        helpers: Functions of the author's own among them, by name.
        files: A tar of the instructor's files, empty for none.
        roots: The folders that test and learner's code have in common.
    """

    __test__ = False  # for pytest

    def __init__(
        self,
        imports: dict[str, str],
        defined: Iterable[str],
        helpers: Mapping[str, str] | None = None,
        *,
        files: bytes = b"",
        roots: Iterable[str] = (),
    ) -> None:
        self._roots = list(roots)
        self._kept = _unpack(files)
        self._namespace = TestNamespace(imports, defined, helpers or {})

    def judge(self, request: dict[str, Any], snapshot: Channel) -> dict[str, Any]:
        """Run one test against a learner's state, and return what came of it. The channel is closed then."""
        outputs = Outputs(request["max_bytes"], gives_points=request["gives_points"])
        calls = request["calls"]
        state = LearnerState(
            snapshot,
            outputs,
            frozenset(calls) if calls is not None else None,
            recording=request["recording"],
            folders=(self._roots, self._kept),
        )
        run = _TestRun(request["grade_id"], request["source"], self._namespace)
        try:
            with _deadline(request["seconds"]), outputs.instead_of_standard_streams():
                names = state.begin(request["seconds"])
                self._namespace.connect(names, state.name)
                with shared_seeds(state):
                    outputs.result(*run.run())
            error: BaseException | None = None
        except BaseException as raised:
            error = raised
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            snapshot.close()
            self._namespace.disconnect(_is_stale)
            state.discard_files()
        return {
            "op": "judged",
            **_verdict(run, error, state.lost, outputs),
            "asked": sorted(state.asked),
        }


def _verdict(run: _TestRun, error: BaseException | None, lost: str, outputs: Outputs) -> dict[str, Any]:
    if lost or isinstance(error, PeerLost):
        status, name = "signal", PROCESS_LOST
        outputs.error(name, lost, [f"{name}: {lost}"], first=True)
    elif isinstance(error, OutOfTime):
        status = "time"
        outputs.error("OutOfTime", str(error), [f"OutOfTime: {error}"], first=True)
    elif isinstance(error, TooMuchOutput):
        status = "output"
        outputs.error("TooMuchOutput", str(error), [f"TooMuchOutput: {error}"], first=True)
    elif error is not None:
        status = "failed" if isinstance(error, AssertionError) else "runtime-error"
        if isinstance(error, MemoryError):
            status = "memory"
        text = _text(error)
        outputs.error(type(error).__name__, text, run.traceback_of(error, text))
    else:
        status = "ok"
    return {"status": status, "outputs": outputs.taken()}


class _TestRun:
    """One test's code."""

    def __init__(self, grade_id: str, source: str, namespace: TestNamespace) -> None:
        self._file = f"<{grade_id}>"
        self._source = source
        self._namespace = namespace

    def run(self) -> tuple[Any, ...]:
        """Run it; return the value of its last line if that is an expression."""
        linecache.cache[self._file] = (
            len(self._source),
            None,
            self._source.splitlines(keepends=True),
            self._file,
        )
        tree = ast.parse(self._source, self._file)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        shown = last is not None and not self._source.rstrip().endswith(";")
        exec(compile(tree, self._file, "exec"), self._namespace)  # noqa: S102
        if not isinstance(last, ast.Expr):
            return ()
        value = eval(compile(ast.Expression(last.value), self._file, "eval"), self._namespace)  # noqa: S307
        return (value,) if shown and value is not None else ()

    def traceback_of(self, error: BaseException, text: str) -> list[str]:
        """Return the lines of a traceback, without those of the referee itself."""
        own = str(Path(__file__).parent)
        frames = traceback.StackSummary.from_list(
            [
                frame
                for frame in traceback.extract_tb(error.__traceback__)
                if not frame.filename.startswith(own)
            ]
        )
        lines = "".join(["Traceback (most recent call last):\n", *frames.format()]).splitlines()
        return [*lines, f"{type(error).__name__}: {text}"]


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:
        # The error is of a learner's class, whose `__str__` was asked for.
        return f"<{type(second).__name__}>"


def _is_stale(value: Any) -> bool:
    return (
        is_remote(value)
        or (isinstance(value, list | tuple | set | frozenset) and any(map(is_remote, value)))
        or (isinstance(value, dict) and any(map(is_remote, value.values())))
    )


def _unpack(files: bytes) -> list[str]:
    """Unpack the instructor's files here; return their paths. What a test imports of them is found."""
    if not files:
        return []
    here = Path.cwd()
    names = unpack(files, here)
    # Not from there: a program that a test starts could write into them.
    sys.meta_path.append(ModulesInMemory({name: here / name for name in names if name.endswith(".py")}))
    return [str(here / name) for name in names]


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    def end(_signal: int, _frame: FrameType | None) -> None:
        raise OutOfTime(f"The test took longer than {seconds:g} seconds.")

    signal.signal(signal.SIGALRM, end)
    # Again each second, in case the test catches everything.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
