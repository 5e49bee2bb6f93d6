"""Learner's code of every kind, and tests of it that pass."""

from __future__ import annotations

LEARNER = '''
import numpy as np
import pandas as pd

rate = 3
data = [1, 2, 3]

def add(a, b):
    print("adding")
    return a + b

def sort_in_place(items):
    items.sort()
    return items

def copied(items):
    return sorted(items)

def count(n):
    for number in range(n):
        yield number

def refuse(value):
    raise ValueError(f"not {value}")

def fail(code):
    raise TooFar(code)

class TooFar(LookupError):
    def __init__(self, code):
        super().__init__(f"code {code}")
        self.code = code

class Account:
    """Money."""
    rate = 3
    def __init__(self, balance=0):
        self.balance = balance
        self.log = []
    def deposit(self, amount):
        self.balance += amount
        self.log.append(amount)
        return self
    @property
    def doubled(self):
        return 2 * self.balance
    @classmethod
    def rich(cls):
        return cls(1000)
    def __eq__(self, other):
        return isinstance(other, Account) and other.balance == self.balance
    def __hash__(self):
        return hash(self.balance)
    def __len__(self):
        return len(self.log)
    def __repr__(self):
        return f"Account({self.balance})"
    def __add__(self, other):
        return Account(self.balance + getattr(other, "balance", other))
    def __lt__(self, other):
        return self.balance < other.balance
    def __enter__(self):
        self.log.append("in")
        return self
    def __exit__(self, *error):
        self.log.append("out")

class Savings(Account):
    pass

class Stack(list):
    def push(self, item):
        self.append(item)

def apply(function, *args):
    return function(*args)

def adder(n):
    return lambda x: x + n

def add_column(frame):
    frame["double"] = frame["a"] * 2
    return frame

def keeper(items):
    return Keeper(items)

class Keeper:
    def __init__(self, items):
        self.items = items

def area(shape):
    return shape.width * shape.height

def words(text):
    from collections import Counter
    return Counter(text.split())

def roll():
    import random
    return [random.randint(1, 6) for _ in range(4)]

def draw():
    return np.random.normal(size=3)

def write(path):
    with open(path, "w") as file:
        file.write("done")
'''


CORRECT = r"""
assert add(1, 2) == 3

items = [3, 1, 2]
assert sort_in_place(items) is items
assert items == [1, 2, 3]

items = [3, 1, 2]
assert copied(items) is not items
assert items == [3, 1, 2]

assert list(count(3)) == [0, 1, 2]
numbers = count(2)
assert next(numbers) == 0
assert sum(numbers) == 1

try:
    refuse(3)
except ValueError as error:
    assert str(error) == 'not 3' and type(error) is ValueError
else:
    assert False

try:
    fail(7)
except TooFar as error:
    assert error.code == 7 and isinstance(error, LookupError)
else:
    assert False

import pytest
with pytest.raises(TooFar, match='code 7') as caught:
    fail(7)
assert caught.value.code == 7

import unittest
unittest.TestCase().assertRaises(TooFar, fail, 1)

a = Account(5)
a.deposit(3).deposit(1)
assert a.balance == 9 and a.log == [3, 1] and a.doubled == 18 and len(a) == 2

a = Account()
assert isinstance(a, Account) and type(a) is Account and not isinstance(a, Savings)

s = Savings()
assert isinstance(s, Account) and issubclass(Savings, Account) and type(s).__name__ == 'Savings'

assert Account(3) == Account(3) and Account(3) != Account(4) and Account(1) < Account(2)

assert sorted([Account(2), Account(1)])[0].balance == 1 and max(Account(1), Account(5)).balance == 5

assert len({Account(1), Account(1), Account(2)}) == 2

assert (Account(1) + Account(2)).balance == 3

a = Account(1)
a.balance = 7
assert a.balance == 7 and hasattr(a, 'log') and not hasattr(a, 'nothing')
del a.log
assert not hasattr(a, 'log')

Account.rate = 4
assert Account(1).rate == 4

assert repr(Account(2)) == 'Account(2)' and str(Account(2)) == f'{Account(2)}' == 'Account(2)'

assert Account.__name__ == 'Account' and Account.__doc__ == 'Money.' and Account(1).__doc__ == 'Money.'

assert callable(add) and callable(Account) and callable(Account(1).deposit) and not callable(Account(1))

assert Account.rich().balance == 1000 and 'deposit' in dir(Account(1))

with Account(1) as a:
    assert a.log == ['in']
assert a.log == ['in', 'out']

a = Account(1)
a.log.append(5)
assert a.log == [5] and a.log is a.log

a = Account(1)
log = a.log
a.deposit(2)
assert log == [2]

items = [1]
kept = keeper(items)
items.append(2)
assert kept.items is items and kept.items == [1, 2]

s = Stack()
s.push(3)
assert s == [3] and isinstance(s, list) and len(s) == 1 and 3 in s and list(s) == [3] and s[0] == 3

assert apply(lambda x: x + 1, 3) == 4

import math
assert apply(math.sqrt, 4) == 2 and apply(len, [1, 2]) == 2
assert apply(str.upper, 'a') == 'A' and apply(int, '3') == 3

def fails():
    raise KeyError('k')
try:
    apply(fails)
except KeyError as error:
    assert error.args == ('k',)
else:
    assert False

seen = []
apply(seen.append, 3)
assert seen == [3]

assert apply(add, 1, 2) == 3 and apply(lambda account: account.balance, Account(4)) == 4

assert adder(3)(4) == 7

class Shape:
    width = 3
    height = 4
assert area(Shape()) == 12

from types import SimpleNamespace
assert area(SimpleNamespace(width=2, height=3)) == 6

frame = pd.DataFrame({'a': [1, 2]})
assert add_column(frame) is frame
assert list(frame.columns) == ['a', 'double']

assert words('a b a') == {'a': 2, 'b': 1}

data.append(4)
assert data == [1, 2, 3, 4] and rate == 3

import io, contextlib
out = io.StringIO()
with contextlib.redirect_stdout(out):
    add(1, 1)
assert out.getvalue() == 'adding\n'

import inspect
assert list(inspect.signature(add).parameters) == ['a', 'b'] and inspect.isfunction(add)
assert inspect.isgenerator(count(1))

import random
random.seed(3)
first = roll()
random.seed(3)
assert roll() == first == [random.Random(3).randint(1, 6)] * 0 + first

import random
random.seed(5)
expected = [random.randint(1, 6) for _ in range(4)]
random.seed(5)
assert roll() == expected

np.random.seed(5)
expected = np.random.normal(size=3)
np.random.seed(5)
assert np.allclose(draw(), expected)

assert [n for n in count(3) if n] == [1, 2] and dict(zip('ab', count(2))) == {'a': 0, 'b': 1}

class Test:
    def run(self):
        return add(1, 2)
assert Test().run() == 3 and (lambda: add(2, 2))() == 4
"""
"""Tests that pass, with a blank line between."""
