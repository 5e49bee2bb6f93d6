"""What `check` accepts, what it says, and what it gives."""

from __future__ import annotations

import ast
import math
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import course.checks
from course.checks import approx, call, check, matches, raises, score, style
from course.checks.checking import FAILED
from course.language import catalogue

pytestmark = pytest.mark.quick

FOLDER = Path(course.checks.__file__).parent


def said(value: Any, expected: Any) -> list[str]:
    """Return what is wrong with a value; nothing if it is as expected."""
    try:
        check(value, expected)
    except AssertionError as failed:
        return str(failed).split("\n")
    return []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (3.0, 3),
        (0.1 + 0.2, 0.3),
        (math.nan, math.nan),
        (math.inf, math.inf),
        (10**400, 10**400),
        ("a", "a"),
        (None, None),
        (2 + 1j, 2 + 1j),
        (Decimal("1.5"), Decimal("1.5")),
        (date(2026, 3, 2), date(2026, 3, 2)),
        ([1, (2, {"a": {3, 4}})], [1, (2, {"a": {4, 3}})]),
        (range(3), range(3)),
        ({1: "a", (2, "b"): None}, {1.0: "a", (2, "b"): None}),
        (3.14, approx(3.14159, abs=0.01)),
        ({"mean": [2.02]}, {"mean": approx([2], rel=0.05)}),
        ("Sales by region", matches(r"(?i)REGION")),
    ],
)
def test_equal_data_passes(value: object, expected: object) -> None:
    assert said(value, expected) == []


@pytest.mark.parametrize(
    ("value", "expected", "sentence"),
    [
        (4, 3, "Expected 3, got 4"),
        (True, 1, "Expected a whole number, got a truth value: True"),
        (1, True, "Expected a truth value, got a whole number: 1"),
        (10**400, 1.5, "Expected 1.5, got a whole number with very many digits"),
        (1000000001, 1000000002, "Expected 1000000002, got 1000000001"),
        ((1, 2), [1, 2], "Expected a list, got a tuple: (1, 2)"),
        ("3", 3, "Expected a whole number, got a text: '3'"),
        (None, 3, "The result is None. Does the function return it, and not only print it?"),
        ([1], [1, 2], "Expected 2 items, got 1"),
        ([1, [5]], [1, [2]], "[1][0]: expected 2, got 5"),
        ({"a": 1}, {"b": 1}, "Missing keys: 'b'"),
        ({1, 2}, {1}, "Items that should not be there: 2"),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "['a']['b']: expected 2, got 1"),
        (3.2, approx(3.14159, abs=0.01), "Expected 3.14159, got 3.2"),
        (datetime(2026, 3, 2).astimezone(), datetime(2026, 3, 2), "Expected 2026-03-02 00:00:00, got"),
        ("Sales", matches("region"), "'Sales' does not contain what it should"),
    ],
)
def test_the_first_difference_is_told_in_words(value: object, expected: object, sentence: str) -> None:
    assert said(value, expected)[0].startswith(sentence)


def test_texts_that_differ_in_little_say_in_what() -> None:
    assert said("a  b", "a b")[1] == "Only spaces or line ends differ"
    assert said("Ada", "ada")[1] == "Only capital letters differ"
    long = "the quick brown fox jumps over"
    assert said(long, long.replace("fox", "dog"))[1].startswith(
        "They differ from character 17: expected 'dog"
    )


def test_many_differences_make_a_short_message() -> None:
    lines = said(list(range(1000)), list(range(1, 1001)))
    assert lines == [*(f"[{n}]: expected {n + 1}, got {n}" for n in range(5)), "and more differences"]


def test_a_failed_check_with_points_says_why_and_gives_none(capsys: pytest.CaptureFixture[str]) -> None:
    earned = score(
        check(call(max, [1, 2]), 2, points=0.1),
        check(2, 2, points=0.2),
        check(call(max, []), 0, points=1, message="What of an empty list?", tag="empty"),
    )
    assert repr(earned) == "0.3"
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"{FAILED} [empty] What of an empty list?"
    assert second.strip().startswith("It stops with ValueError: max()")


def test_a_check_without_points_is_an_assertion_with_a_message() -> None:
    with pytest.raises(AssertionError, match=r"^\[unit\] In euros, please\.\nExpected 3, got 300$"):
        check(300, 3, message="In euros, please.", tag="unit")
    assert check(3, 3) is None


def test_a_call_may_have_to_raise() -> None:
    assert said(call(int, "x"), raises(ValueError, text="INVALID literal")) == []
    assert said(call(int, "3"), raises(ValueError)) == ["Expected a ValueError, got the result 3"]
    assert said(call(int, None), raises(ValueError))[0].startswith(
        "Expected a ValueError. It stops with TypeError"
    )
    assert said(call(int, "x"), raises(ValueError, text="empty"))[0].startswith(
        "The ValueError should say 'empty'"
    )


def test_a_stub_and_an_exit_fail_the_check_and_an_interrupt_ends_the_cell() -> None:
    def stop(error: BaseException) -> None:
        raise error

    assert said(call(stop, NotImplementedError()), 3) == ["You have not written this yet."]
    assert said(call(stop, SystemExit(0)), 3) == ["It stops with SystemExit."]
    with pytest.raises(KeyboardInterrupt):
        check(call(stop, KeyboardInterrupt()), 3)


@pytest.mark.parametrize(
    ("value", "expected", "points"),
    [(3, object(), None), ({}, {object(): 1}, None), (3, raises(ValueError), None), (3, print, 1)],
)
def test_an_author_who_expects_what_cannot_be_compared_is_told(
    value: object, expected: object, points: float | None
) -> None:
    with pytest.raises(TypeError):
        check(value, expected, points=points)


@pytest.mark.parametrize("points", [0, -1, math.nan, math.inf, True, "1"])
def test_points_are_a_number_above_0(points: Any) -> None:
    with pytest.raises(ValueError, match="above 0"):
        check(3, 3, points=points)


def test_a_check_without_points_does_not_count_in_a_score() -> None:
    with pytest.raises(TypeError, match="give each of its checks some"):
        score(check(3, 3))  # type: ignore[arg-type]


def test_style_rules_name_the_line_and_the_rule() -> None:
    source = "%matplotlib inline\nimport os\ndef Total(x):\n    for each in x: eval(each)\n"
    rules = style(max_line=25, names=True, docstrings=True, forbid=("eval", "os", "while"), require=("sum",))
    assert said(source, rules) == [
        "line 4 has 29 characters, 25 are allowed",
        "'Total' should be written in_snake_case",
        "the function 'Total' has no docstring",
        "line 4 uses eval, which is not allowed here",
        "line 2 uses os, which is not allowed here",
        "and more differences",
    ]
    good = 'class Till:\n    """Holds."""\n\nMAX_ROWS = 3\n_, x = sum([1]), 2\n'
    assert (
        said(good, style(max_line=79, names=True, docstrings=True, forbid=("while",), require=("sum",))) == []
    )
    assert said("(" * 10_000, style()) == ["This is not Python that can be read"]


def test_every_sentence_has_a_french_one_with_the_same_parts() -> None:
    sentences: set[str] = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
                constants = (each for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant))
                sentences |= {each.value for each in constants if isinstance(each.value, str)}
    french = catalogue("checks", "fr")
    assert set(french) == sentences
    for sentence, translation in french.items():
        parts = {word.partition("}")[0] for word in sentence.split("{")[1:]}
        assert {word.partition("}")[0] for word in translation.split("{")[1:]} == parts


def test_a_message_comes_in_the_language_of_the_course(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOC_LANGUAGE", "fr")
    assert said(4, 3) == ["Attendu : 3, obtenu : 4"]
    monkeypatch.setenv("SPOC_LANGUAGE", "../xx")
    assert said(4, 3) == ["Expected 3, got 4"]


def test_checks_import_nothing_that_a_notebook_has_not_imported() -> None:
    heavy = {"numpy", "pandas", "matplotlib", "IPython", "babel"}
    code = f"import sys, graders.checks; print({heavy} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
