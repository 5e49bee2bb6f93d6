"""Tests that use a file of which a learner's own version counts are told by what they import and name."""

from __future__ import annotations

import nbformat
import pytest

from graders.engine.own_files import tests_of_own_files as found_tests
from graders.engine.plan import PlannedNotebook
from graders.execution.results import TestCell
from graders.repair.source import SourceNotebook
from tests.equality.cells import code, locked_tests, notebook

pytestmark = pytest.mark.quick

LEFT_ALONE = frozenset({"mine.py", "kit/own.py", "results.csv"})
FILES = {
    "mine.py": b"def value(): raise NotImplementedError",
    "given.py": b"import json\nNAME = 'given'",
    "helper.py": b"import given, through",
    "through.py": b"from mine import value",
    "kit/__init__.py": b"",
    "kit/own.py": b"",
    "kit/sibling.py": b"from . import own",
    "circle.py": b"import circle",
    "unreadable.py": b"print 'old'",
}


def found(test: str, given: str = "import mine as m, given\nfrom helper import through as t") -> str:
    solved = notebook(code(given), locked_tests("t", test))
    planned = PlannedNotebook(
        name="work",
        source=SourceNotebook((), None),
        tests={"t": TestCell("t", test, test)},
        solved=nbformat.writes(solved),
    )
    return found_tests(planned, FILES, LEFT_ALONE).get("t", "")


@pytest.mark.parametrize(
    "test",
    [
        "import mine",
        "def check():\n    from mine import value",
        "import importlib; importlib.import_module('mine')",
        "assert m.value() == 42",
        "assert t.value() == 42",
        "import helper",
        "open('./mine.py')",
    ],
)
def test_a_module_is_found_however_a_test_comes_to_it(test: str) -> None:
    assert found(test) == "mine.py"


@pytest.mark.parametrize("test", ["import kit.own", "from kit import own", "from kit.sibling import own"])
def test_a_module_of_a_package_is_found(test: str) -> None:
    assert found(test) == "kit/own.py"


def test_a_file_that_is_no_module_is_found_by_its_name() -> None:
    assert found("assert open('results.csv').read()") == "results.csv"


@pytest.mark.parametrize(
    "test",
    [
        "assert given.NAME == 'given'",
        "import kit, circle, unreadable",
        "assert kind == 'mine'",
        "assert undefined",
        "%magic",
    ],
)
def test_a_test_that_uses_none_stays_with_the_referee(test: str) -> None:
    assert found(test) == ""
