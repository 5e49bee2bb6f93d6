"""A fork server's children start warm, confined and apart, and all of a run ends with it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graders.forkserver.parent import ForkedProcess, WarmEnvironment, WarmParent

ASKED = Path(__file__).parent / "forked"
ROLES = {"cells": "asked"}
ENVIRONMENT = WarmEnvironment(imports=("numpy", "no_such_module"), paths=(ASKED,))


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmParent]:
    with WarmParent(ENVIRONMENT, roles=ROLES) as parent:
        yield parent


def asked(process: ForkedProcess, code: str, first: str = "") -> Any:
    process.channel.send({"code": code, "first": first}, timeout=10)
    answer = process.channel.receive(timeout=30).header
    if "error" in answer:
        pytest.fail(answer["error"])
    return ast.literal_eval(answer["value"])


def test_a_child_has_what_was_imported_and_prepared_before(warm: WarmParent) -> None:
    with warm.fork("cells") as process:
        assert asked(process, "'numpy' in sys.modules", "import sys")
        assert asked(process, "STATE") == {"prepared": True}
        assert asked(process, "os.getcwd()") == "/home/learner"
    assert [problem.split(":")[0] for problem in warm.problems] == ["no_such_module"]
