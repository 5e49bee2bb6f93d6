"""A learner's state in a forked process, and tests that are judged against it: a referee without walls."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graders.forkserver.channel import Channel, ChannelClosed
from graders.referee.analysis import names_of
from graders.referee.inspection import Inspection
from graders.referee.process import TestRunner

SECONDS = 5.0


@dataclass(frozen=True)
class Outcome:
    status: str
    outputs: list[dict[str, Any]]
    asked: frozenset[str]

    @property
    def shown(self) -> str:
        return "\n".join(
            output.get("text") or output.get("data", {}).get("text/plain") or "\n".join(output["traceback"])
            for output in self.outputs
        )


@dataclass
class Case:
    """A learner's code, and the tests of a notebook that are judged against it in order."""

    learner: str
    instructor: str = "import numpy as np\nimport pandas as pd"
    calls: frozenset[str] | None = None
    recording: bool = False
    seconds: float = SECONDS
    runner: TestRunner = field(init=False)

    def __post_init__(self) -> None:
        names = names_of([self.instructor])
        self.runner = TestRunner(dict(names.imports), names.defined)

    def judge(self, test: str) -> Outcome:
        return self.judge_by(serving(self.learner), test)

    def judge_by(self, serve: Callable[[Channel], None], test: str) -> Outcome:
        request = {
            "grade_id": "test",
            "source": test,
            "calls": None if self.calls is None else sorted(self.calls),
            "recording": self.recording,
            "seconds": self.seconds,
            "max_bytes": 1_000_000,
            "gives_points": False,
        }
        answer = self.runner.judge(request, forked(serve))
        return Outcome(answer["status"], answer["outputs"], frozenset(answer["asked"]))


def judged(learner: str, test: str, **how: Any) -> Outcome:
    return Case(learner, **how).judge(test)


def serving(learner: str) -> Callable[[Channel], None]:
    """Return what serves a namespace in which `learner` has run."""

    def serve(channel: Channel) -> None:
        namespace: dict[str, Any] = {"__name__": "__main__"}
        exec(learner, namespace)  # noqa: S102 -- this test's own code
        inspection = Inspection(channel, namespace)
        while True:
            inspection.handle(channel.receive())

    return serve


def answering(*replies: Mapping[str, Any], blob: bytes = b"") -> Callable[[Channel], None]:
    """Return what gives these replies, one to each question, then nothing."""

    def serve(channel: Channel) -> None:
        for reply in replies:
            channel.receive()
            channel.send(dict(reply), blob)
        while True:
            channel.receive()

    return serve


def forked(serve: Callable[[Channel], None]) -> Channel:
    """Return a channel to a forked process that serves; it ends when the channel is closed."""
    ours, theirs = socket.socketpair()
    if os.fork():
        theirs.close()
        return Channel(ours)
    try:
        ours.close()
        serve(Channel(theirs))
    except ChannelClosed:
        pass
    finally:
        os._exit(0)
