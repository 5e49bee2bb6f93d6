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
    assert (outcome.status, outcome.asked) == ("ok", frozenset({"Inner", "add"}))
    assert judged(learner, test, calls=outcome.asked).status == "ok"


LENT = {
    "the class of an attrgetter": (
        """\
def oldest(people, key):
    getter = type(key)
    getter("__setitem__")(getter("__init__.__globals__")(people[0]))("expected", 99)
    return 99
""",
        """\
from operator import attrgetter
class P:
    def __init__(self, age): self.age = age
expected = 2
assert oldest([P(1), P(2)], attrgetter('age')) == expected""",
    ),
    "the class of a methodcaller, given back by a test's function": (
        """\
def apply(same, caller):
    kind = same(type(caller))
    kind("__setitem__", "expected", 99)(kind("__getattribute__", "__globals__")(same))
    return 99
""",
        """\
from operator import methodcaller
expected = 2
assert apply(lambda x: x, methodcaller('upper')) == expected""",
    ),
    "the class of a map": (
        """\
def total(values):
    made = next(type(values)(type, ["S"], [(str,)], [{"__module__": "__main__"}]))
    return made("{0.__globals__[expected]}").format(lambda: 0)
""",
        "expected = 'secret'\nassert total(map(int, ['1', '2'])) != 0",
    ),
    "the base of an enumeration": (
        """\
def is_red(suit):
    base = type(suit).__bases__[0]
    made = base("X", {"A": "{0.__globals__[expected]}"}, module="__main__", type=str)
    return made.A.format(suit.spy)
""",
        """\
from enum import Enum
class Suit(Enum):
    RED = 1
    def spy(self): return 1
expected = 'secret'
assert is_red(Suit.RED) == expected""",
    ),
    "the format of a text of a test's class": (
        """\
def shout(word):
    return type(word)("{0.__globals__[expected]}").format(word.spy)
""",
        """\
class Word(str):
    def spy(self): return 1
expected = 'secret'
assert shout(Word('a')) == expected""",
    ),
    "the class of a partial": (
        """\
def apply(function):
    made = type(function)(type, "S", (str,), {"__module__": "__main__"})()
    return made("{0.func.__globals__[expected]}").format(function)
""",
        """\
from functools import partial
expected = 'secret'
def give(x): return x
assert apply(partial(give, expected + '!')) == expected""",
    ),
    "a method put into a test's class": (
        "def apply(shape):\n    type(shape).area = lambda self: 99\n    return 99\n",
        """\
class Shape:
    def area(self): return 1
shape = Shape()
assert apply(shape) == shape.area()""",
    ),
}
"""Learner code, and a test that gives it an object."""


@pytest.mark.parametrize("attack", LENT)
def test_what_a_test_gives_away_leads_no_further(attack: str) -> None:
    learner, test = LENT[attack]
    outcome = judged(learner, test, calls=frozenset())
    assert outcome.status in ("failed", "runtime-error"), outcome


GIVEN = r"""
from operator import attrgetter
class P:
    def __init__(self, age): self.age = age
assert use(lambda p, key: key(p), P(3), attrgetter('age')) == 3

from functools import partial
def add(a, b): return a + b
assert apply(partial(add, 1), 2) == 3

from enum import Enum
class Suit(Enum):
    RED = 1
assert named(Suit.RED) == 'RED' and apply(Suit, 1) is Suit.RED

from collections import Counter, namedtuple
assert apply(Counter, 'aab') == {'a': 2, 'b': 1}
assert apply(namedtuple('Named', 'name'), 'x').name == 'x'

class Base:
    name = 'base'
class Derived(Base): pass
assert named(Derived()) == 'base' and apply(Derived, ).name == 'base'

class Pile(list): pass
pile = Pile()
push(pile, 3)
assert pile == [3]
"""


@pytest.mark.parametrize("test", GIVEN.strip().split("\n\n"))
def test_what_a_test_gives_away_is_used(test: str) -> None:
    learner = """\
def use(function, *args): return args[1](args[0])
def apply(function, *args): return function(*args)
def named(thing): return thing.name
def push(pile, item): pile.append(item)
"""
    outcome = judged(learner, test, recording=True)
    assert outcome.status == "ok", outcome.shown


CHANGING = {
    "items": (
        """\
class Counting(list):
    turns = 0
    def __getitem__(self, at):
        Counting.turns += 1
        return Counting.turns
def sort(values): return Counting(values)
""",
        """\
r = sort([3, 1, 2])
assert isinstance(r, list) and len(r) == 3 and sorted(r) == [1, 2, 3]
assert all(r[i] <= r[i + 1] for i in range(2))""",
    ),
    "a number": (
        """\
import graders.referee.inspection as inspection
turns = []
def data(value):
    turns.append(1)
    return 1e9 if len(turns) % 2 else -1e9
inspection._data_of = data
class Number(float): pass
def sort(values): return Number(1)
""",
        "assert 3.1 < sort([]) < 3.2",
    ),
    "a named number": (
        """\
import graders.referee.inspection as inspection
turns = []
def data(value):
    turns.append(1)
    return 1e9 if len(turns) % 2 else -1e9
inspection._data_of = data
class Number(float): pass
number = Number(1)
""",
        "assert 3.1 < number and number < 3.2",
    ),
    "a length, members and a truth": (
        """\
class Long(list):
    def __len__(self): return 2
    def __contains__(self, item): return True
    def __iter__(self): return iter('ab')
def sort(values): return Long()
""",
        "r = sort([])\nassert len(r) == 2 or 'a' in r or list(r) == ['a', 'b']",
    ),
}


@pytest.mark.parametrize("attack", CHANGING)
def test_data_is_one_and_the_same_until_code_may_have_changed_it(attack: str) -> None:
    learner, test = CHANGING[attack]
    calls = frozenset({"__contains__"})
    assert judged(learner, test, calls=calls).status in ("failed", "runtime-error")


def test_data_that_a_method_changes_is_read_anew() -> None:
    learner = """\
class Stack(list):
    def push(self, item): self.append(item)
from collections import Counter, defaultdict
count, by_key = Counter('aab'), defaultdict(list)
"""
    test = """\
s = Stack()
assert len(s) == 0 and s == [] and not s
s.push(3)
assert len(s) == 1 and s == [3] and 3 in s and s[0] == 3 and s
s[0] = 4
assert s == [4] and list(s) == [4] and s[-1] == 4
assert count['a'] == 2 and count['z'] == 0
by_key['k'].append(1)
assert by_key == {'k': [1]}"""
    outcome = judged(learner, test, recording=True)
    assert outcome.status == "ok", outcome.shown
    assert judged(learner, test, calls=outcome.asked).status == "ok"


ENDING = {
    "map": "assert all(map(even, [2, 4, 6]))",
    "filter": "assert not list(filter(even, [1, 3]))",
    "an operation": "assert all(map(len, [even]))",
}


@pytest.mark.parametrize("test", ENDING.values(), ids=ENDING)
@pytest.mark.parametrize("error", ["StopIteration", "StopAsyncIteration", "type('E', (StopIteration,), {})"])
def test_code_that_ends_no_iterator_ends_none_of_the_tests(test: str, error: str) -> None:
    learner = f"""\
class Even:
    def __call__(self, x): raise {error}
    def __len__(self): return self(1)
even = Even()
"""
    assert judged(learner, test).status in ("failed", "runtime-error")


def test_an_iterator_of_the_learners_ends() -> None:
    learner = """\
class Count:
    def __init__(self): self.n = 0
    def __iter__(self): return self
    def __next__(self):
        self.n += 1
        if self.n > 2: raise StopIteration
        return self.n
"""
    assert judged(learner, "assert list(Count()) == [1, 2] == [n for n in Count()]").status == "ok"


CATCHING = {
    "an error": "TooLittle = Exception",
    "any error": "TooLittle = BaseException",
    "a failed check": "TooLittle = AssertionError",
    "several": "TooLittle = (KeyError, AssertionError)",
}


@pytest.mark.parametrize("learner", CATCHING.values(), ids=CATCHING)
@pytest.mark.parametrize("place", ["TooLittle", "Bank.TooLittle"])
def test_no_class_of_the_learners_catches_failed_checks(learner: str, place: str) -> None:
    code = f"{learner}\nclass Bank: pass\nBank.TooLittle = TooLittle\ndef pay(x): return x"
    test = f"try:\n    pay(11)\n    assert False, 'accepted'\nexcept {place}:\n    pass"
    assert judged(code, test, calls=frozenset()).status in ("failed", "runtime-error")
    recorded = judged(code, test, recording=True)
    assert judged(code, test, calls=recorded.asked).status == recorded.status == "ok"


@pytest.mark.parametrize(
    ("module", "name"),
    [("numpy.testing", "SkipTest"), ("unittest", "case.SkipTest"), ("doctest", "unittest.SkipTest")],
)
def test_no_error_is_of_a_class_that_a_library_has_from_elsewhere(module: str, name: str) -> None:
    learner = f"""\
import graders.referee.exports as exports
class X(Exception): pass
described = exports.Exports._describe
def describe(self, kind):
    told = described(self, kind)
    if kind is X: told.update(module={module!r}, qualname={name!r}, library=True)
    return told
exports.Exports._describe = describe
def double(x): raise X('later')
"""
    test = """\
import io, unittest, numpy.testing
class T(unittest.TestCase):
    def test_double(self): self.assertEqual(double(2), 4)
suite = unittest.defaultTestLoader.loadTestsFromTestCase(T)
assert unittest.TextTestRunner(stream=io.StringIO()).run(suite).wasSuccessful()"""
    assert judged(learner, test).status in ("failed", "runtime-error")


def test_an_error_of_a_library_is_of_its_class() -> None:
    learner = "import numpy as np\ndef solve(a): return np.linalg.inv(a)"
    test = (
        "a = np.zeros((2, 2))\ntry:\n    solve(a)\n    assert False\nexcept np.linalg.LinAlgError:\n    pass"
    )
    assert judged(learner, test).status == "ok"
