"""Whatever comes over the wire instead of an honest answer fails the test it was meant for, and no other."""

from __future__ import annotations

import os
import struct
from typing import Any

import pytest

from graders.forkserver.channel import Channel
from tests.refereeing import SECONDS, Case, answering

NAMES: dict[str, Any] = {"op": "reply", "value": ["@", 1], "nodes": {"1": ["list", ["f"], 0, 0]}}
FUNCTION: dict[str, Any] = {"op": "reply", "value": ["object", 0, ["type", "object"], None]}
CLASS: dict[str, Any] = {
    "name": "C",
    "qualname": "C",
    "module": "m",
    "doc": None,
    "bases": [["type", "object"]],
    "specials": ["__call__"],
    "library": False,
    "data": False,
}


def of_class(**changes: Any) -> dict[str, Any]:
    return {"op": "reply", "value": ["object", 1, ["class", 0], None], "classes": {"0": {**CLASS, **changes}}}


def reply(value: Any, **more: Any) -> dict[str, Any]:
    return {"op": "reply", "value": value, **more}


def deep(depth: int) -> Any:
    value: Any = 8
    for _ in range(depth):
        value = ["tuple", value]
    return value


REPLIES: dict[str, dict[str, Any]] = {
    "no operation": {},
    "another operation": {"op": "judged", "status": "ok"},
    "no value": {"op": "reply"},
    "a wrong type": reply({"a": 8}),
    "an unknown form": reply(["code", "8"]),
    "a result that is too deep": reply(deep(50)),
    "a list that is missing": reply(["@", 3]),
    "a list of this side": reply(["@", 0]),
    "a number of this side": reply(None, nodes={"2": ["list", [8], 0, 0]}),
    "a list that becomes a dict": reply(["@", 1], nodes={"1": ["dict", [[], []], 0, 0]}),
    "no list of a list": reply(["@", 3], nodes={"3": ["list", 8, 0, 0]}),
    "a kind that is none": reply(["@", 3], nodes={"3": ["module", [], 0, 0]}),
    "an array without bytes": reply(
        ["@", 3], nodes={"3": ["array", ["np.array", "<f8", [9], "C", [0, 72]], 0, 0]}
    ),
    "an array of objects by address": reply(
        ["@", 3], nodes={"3": ["array", ["np.array", "|O8", [1], "C", [0, 8]], 0, 8]}
    ),
    "an array of arrays that hold each other": reply(
        ["@", 3], nodes={"3": ["array", ["np.object", [1], [["@", 3]]], 0, 0]}
    ),
    "a dict of unhashable keys": reply(["@", 3], nodes={"3": ["dict", [[["@", 1]], [8]], 0, 0]}),
    "a function of this side": reply(["mine", 0]),
    "a function by name": reply(["global", "builtins", "eval"]),
    "a module": reply(["module", "os"]),
    "an error that is none": {"op": "raised", "value": 8},
    "an error of no class": {"op": "raised", "value": ["error", 0, ["type", "int"], ["tuple"], [], []]},
    "an error of a class of no errors": {
        "op": "raised",
        "value": ["error", 0, ["error-class", "eval"], ["tuple"], [], []],
    },
    "a class without description": reply(["object", 1, ["class", 9], None]),
    "a class that is its own base": of_class(bases=[["class", 0]]),
    "a class of no name": of_class(name=8),
    "a class with a name that is none": of_class(name="\0"),
    "a class of strange operations": of_class(
        specials=["__new__", "__class__", "__del__", "__init_subclass__"]
    ),
    "a class with no bases": of_class(bases=8),
    "files elsewhere": reply(8, files={"made": {"/etc/x": "eA=="}}),
    "files that are none": reply(8, files=[8]),
    "prints to a stream of its own": reply(8, printed=[["secret", "x"]]),
    "prints that are none": reply(8, printed=8),
    "releases what it has not": reply(0, released=["x"]),
}


@pytest.mark.parametrize("kind", REPLIES)
def test_an_answer_that_makes_no_sense_fails_its_test(kind: str) -> None:
    case = Case("def f(x): return 2 * x")
    outcome = case.judge_by(answering(NAMES, FUNCTION, REPLIES[kind]), "assert f(4) == 8")
    assert outcome.status in ("signal", "failed", "runtime-error")
    assert case.judge("assert f(4) == 8").status == "ok"


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    "kind", ["no operation", "a wrong type", "a function by name", "an error that is none"]
)
def test_no_part_of_a_conversation_is_trusted(kind: str, place: int) -> None:
    replies = [NAMES, FUNCTION][:place]
    outcome = Case("", seconds=1).judge_by(answering(*replies, REPLIES[kind]), "assert f(4) == 8")
    assert outcome.status in ("signal", "runtime-error", "time")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"\xff" * 64,
        struct.pack("!II", 2**31, 0),
        struct.pack("!II", 2, 1) + struct.pack("!Q", 2**62) + b"{}",
        struct.pack("!II", 200_000, 0) + b"[" * 200_000,
        struct.pack("!II", 9, 0) + b'{"op":NaN',
    ],
    ids=["nothing", "half a message", "noise", "a huge header", "a huge buffer", "a deep header", "no JSON"],
)
def test_what_is_no_message_fails_the_test(content: bytes) -> None:
    def serve(channel: Channel) -> None:
        channel.receive()
        os.write(channel.fileno(), content)

    assert Case("").judge_by(serve, "assert True\nf").status == "signal"


def test_a_late_answer_is_none() -> None:
    def serve(channel: Channel) -> None:
        channel.receive()
        channel.receive()

    outcome = Case("", seconds=0.3).judge_by(
        serve, "try:\n    f\nexcept BaseException:\n    pass\nassert True"
    )
    assert outcome.status in ("time", "signal")


@pytest.mark.parametrize(
    "ask", ["eval", "__globals__", "__self__", "__code__", "__class__", "gi_frame", "secret"]
)
def test_a_function_that_a_test_lends_shows_nothing_of_the_test(ask: str) -> None:
    learner = f"""
def f(lent):
    try:
        return str(getattr(lent, {ask!r}))
    except AttributeError:
        return "hidden"
"""
    test = "secret = 42\ndef lent(x):\n    return secret\nlent.secret = 42\nassert f(lent) == 'hidden'"
    outcome = Case(learner).judge(test)
    if ask in ("__class__", "__globals__", "__code__", "__self__"):
        # The learner's side answers these itself.
        assert "42" not in outcome.shown
    else:
        assert outcome.status == "ok"


@pytest.mark.parametrize("operation", ["name", "data", "dir", "begin", "seed", "nothing", "del"])
def test_the_referee_answers_no_other_questions(operation: str) -> None:
    answers: list[Any] = []

    def serve(channel: Channel) -> None:
        channel.receive()
        channel.send(NAMES, b"")
        channel.receive()
        channel.send({"op": operation, "value": ["tuple", ["mine", 0], "x"]}, b"")
        header = channel.receive().header
        answers.append(header)
        channel.send(reply(header["op"] == "raised"), b"")
        channel.receive()

    assert Case("").judge_by(serve, "assert f is True").status in ("ok", "signal")


def test_an_endless_conversation_ends_with_the_test() -> None:
    def serve(channel: Channel) -> None:
        channel.receive()
        while True:
            channel.send({"op": "output"}, b"")

    assert Case("", seconds=SECONDS).judge_by(serve, "f").status in ("signal", "time")
