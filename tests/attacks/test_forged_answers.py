"""Answers that learn from a test what it expects, or that are never asked twice alike, pass no test."""

from __future__ import annotations

import pytest

from tests.refereeing import judged

pytestmark = pytest.mark.quick

TOLD = {
    "a class as a method": (
        """\
class A(pd.DataFrame):
    class equals:
        def __new__(cls, other): return True
def total(frame): return A()
""",
        "expected = pd.DataFrame({'a': [6]})\nr = total(3)\n"
        "assert isinstance(r, pd.DataFrame)\nassert r.equals(expected)",
    ),
    "an object that is its own method": (
        """\
class R:
    def __getattr__(self, name): return self
    def __call__(self, *args): return True
total = R()
""",
        "assert total.issuperset({'a', 'b'})",
    ),
    "an object that is the method of its result": (
        """\
class R:
    def __getattr__(self, name): return self
    def __call__(self, value): return self if value == 3 else True
total = R()
""",
        "assert total(3).issuperset({'a', 'b'})",
    ),
    "a function that is its own method": (
        "def total(value): return total if value == 3 else True\ntotal.startswith = total\n",
        "r = total(3)\nassert r.startswith('secret')",
    ),
    "a class that is its own method": (
        """\
class Meta(type):
    def __getattr__(cls, name): return cls
    def __call__(cls, value): return cls if value == 3 else True
class total(metaclass=Meta): pass
""",
        "assert total(3).equals(5)",
    ),
}
"""Learner code, and a test whose instructor's answer is plain data."""


@pytest.mark.parametrize("attack", TOLD)
def test_no_object_is_told_what_a_test_expects(attack: str) -> None:
    learner, test = TOLD[attack]
    outcome = judged("import numpy as np\nimport pandas as pd\n" + learner, test, calls=frozenset())
    assert outcome.status in ("failed", "runtime-error"), outcome


def test_a_method_that_the_instructors_objects_have_is_called_by_any_way_to_it() -> None:
    learner = """\
class A:
    class Inner:
        def __init__(self, n): self.n = n
    def add(self, n): return n
"""
    test = "assert A.Inner(3).n == 3 and A().add(2) == 2"
    outcome = judged(learner, test, recording=True)
    assert (outcome.status, outcome.asked) == ("ok", {"Inner", "add"})
    assert judged(learner, test, calls=outcome.asked).status == "ok"
