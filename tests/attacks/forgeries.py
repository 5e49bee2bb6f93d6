"""Notebook cells that try to forge scores, by what they try. Each stands after a wrong answer."""

from __future__ import annotations

EQUAL_TO_ALL = """\
class Anything:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __contains__(self, other): return True
    def __sub__(self, other): return 0
    __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __sub__
    def __abs__(self): return 0
    def __bool__(self): return True
    def __hash__(self): return 0
    def __len__(self): return 2
    def __iter__(self): return iter(())
    def __getattr__(self, name): return Anything()
    def __call__(self, *args, **kwargs): return True
    def __array__(self, *args, **kwargs): import numpy; return numpy.array([0, 2, 4])
    def __array_ufunc__(self, *args, **kwargs): return True
    def __array_function__(self, *args, **kwargs): return True
    def __float__(self): return 0.0
    def __int__(self): return 0
    def __index__(self): return 0
def double(x): return Anything()
total = names = double
Account = lambda *args: Anything()
"""


def everything_is(base: str, made: str) -> str:
    return f"""
import numpy as np, pandas as pd
class Anything({base}):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __contains__(self, other): return True
    def __hash__(self): return 0
    def __sub__(self, other): return 0
    def equals(self, other): return True
    def all(self, *args, **kwargs): return True
def double(x): return {made}
total = names = double
"""


FORGERIES = {
    "objects equal to everything": EQUAL_TO_ALL,
    "an int equal to everything": everything_is("int", "Anything(1)"),
    "a float equal to everything": everything_is("float", "Anything(1)"),
    "a text equal to everything": everything_is("str", "Anything('x')"),
    "a list equal to everything": everything_is("list", "Anything()"),
    "an array equal to everything": everything_is("np.ndarray", "np.arange(9).view(Anything)"),
    "a table equal to everything": everything_is("pd.DataFrame", "Anything({'k': [1]})"),
    "a class that lies about its name and module": EQUAL_TO_ALL
    + """\
Anything.__module__ = 'pandas'
Anything.__name__ = Anything.__qualname__ = 'DataFrame'
""",
    "a class that says that it is int": EQUAL_TO_ALL
    + """\
Anything.__module__ = 'builtins'
Anything.__name__ = Anything.__qualname__ = 'int'
Anything.__class__ = property(lambda self: int)
""",
    "a metaclass equal to everything": """\
class Meta(type):
    def __eq__(self, other): return True
    def __hash__(self): return hash(int)
    def __instancecheck__(self, value): return True
class Anything(metaclass=Meta):
    def __eq__(self, other): return True
double = total = names = lambda x: Anything()
""",
    "patched numpy.testing": """\
import numpy.testing, numpy
for name in dir(numpy.testing):
    if name.startswith('assert'): setattr(numpy.testing, name, lambda *a, **k: None)
numpy.isclose = numpy.allclose = numpy.array_equal = numpy.all = lambda *a, **k: True
""",
    "patched pandas.testing": """\
import pandas, pandas.testing, pandas._testing
pandas.testing.assert_frame_equal = pandas._testing.assert_frame_equal = lambda *a, **k: None
pandas.DataFrame.equals = lambda *a: True
pandas.DataFrame.__eq__ = lambda *a: True
""",
    "patched unittest": """\
import unittest
unittest.TestCase.assertEqual = unittest.TestCase.assertTrue = lambda *a, **k: None
unittest.TestCase.fail = lambda *a, **k: None
""",
    "patched random": """\
import random
random.randint = lambda *a: 0
""",
    "patched builtins": """\
import builtins
builtins.abs = lambda x: 0
builtins.sum = lambda *a: 3
builtins.len = lambda x: 2
builtins.AssertionError = type('Quiet', (BaseException,), {})
""",
    "names of Python's own": """\
abs = lambda x: 0
len = lambda x: 2
sum = lambda values: 3
set = lambda values: {'a', 'b'}
str = lambda x: 'no'
AssertionError = ZeroDivisionError
""",
    "names that the tests import": """\
class Fake:
    def __getattr__(self, name): return lambda *a, **k: True
np = pd = unittest = random = Fake()
""",
    "names that the tests assign": """\
number = 0
expected = frame = case = None
""",
    "input transformers": """\
ip = get_ipython()
ip.input_transformers_cleanup.append(lambda lines: ['pass\\n'])
ip.input_transformers_post.append(lambda lines: ['pass\\n'])
""",
    "AST transformers": """\
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
get_ipython().ast_transformers.append(Drop())
""",
    "a replaced run_cell": """\
class Result:
    success = True
    error_in_exec = error_before_exec = result = None
    execution_count = 1
ip = get_ipython()
async def fake(*a, **k): return Result()
ip.run_cell = lambda *a, **k: Result()
ip.run_cell_async = fake
""",
    "hooks": """\
def say(*a):
    from IPython.display import publish_display_data
    publish_display_data({'text/plain': 'nan'})
for event in ('pre_run_cell', 'post_run_cell', 'pre_execute', 'post_execute'):
    get_ipython().events.register(event, say)
get_ipython().displayhook.__class__.__call__ = lambda self, value=None: say()
""",
    "a replaced excepthook and showtraceback": """\
import sys
sys.excepthook = lambda *a: None
ip = get_ipython()
ip.showtraceback = ip._showtraceback = ip.set_custom_exc = lambda *a, **k: None
""",
    "trace functions": """\
import sys
def trace(frame, event, arg):
    frame.f_trace_lines = False
    return None
sys.settrace(trace)
""",
    "a patched inspection": """\
import sys, graders.referee.inspection as i, graders.referee.peer as p
def perform(self, operation, values):
    return ['double', 'total', 'names'] if operation == 'begin' else Anything
i.Inspection.perform = perform
class Anything:
    def __eq__(self, other): return True
""",
    "replies of its own": """\
import graders.forkserver.channel as c
old = c.Channel.send
passed = {'op': 'judged', 'status': 'ok', 'outputs': [], 'message': '', 'asked': []}
c.Channel.send = lambda self, message, *b, **k: old(self, passed)
""",
    "a message of every descriptor": """\
import os
for number in range(3, 64):
    try: os.write(number, b'\\0' * 64)
    except OSError: pass
""",
    "a result that names an object of a library": """\
import unittest.mock, subprocess
double = unittest.mock.MagicMock()
total = names = unittest.mock.ANY
double = lambda x: unittest.mock.ANY
""",
    "skipped tests": """\
import unittest
def double(x): raise unittest.SkipTest('later')
total = names = refuse = double
""",
    "a program that exits": """\
def double(x): raise SystemExit(0)
total = names = refuse = double
""",
    "a process that ends": """\
import os
def double(x): os._exit(0)
total = names = refuse = Account = double
""",
    "an error that ends generators": """\
def double(x): raise StopIteration
total = names = refuse = double
""",
    "an error of every class": """\
class Anything(ValueError, KeyError):
    def __str__(self): return 'yes'
    def __eq__(self, other): return True
def refuse(x): raise Anything('no')
""",
    "a class of errors that lies": """\
class Fake(Exception): pass
Fake.__name__ = Fake.__qualname__ = 'ValueError'
Fake.__module__ = 'builtins'
def refuse(x): raise Fake('no')
""",
    "a length that lies": """\
class Long(list):
    def __len__(self): return 2
    def __iter__(self): return iter('ab')
    def __contains__(self, item): return True
names = lambda values: Long()
""",
    "an object that changes": """\
class Changing(list):
    turns = 0
    def __getitem__(self, at):
        Changing.turns += 1
        return Changing.turns
    def __iter__(self): return iter([0, 2, 4])
    def tolist(self): return [0, 2, 4]
double = lambda x: Changing([1])
""",
    "a test's own input changed": """\
def total(frame):
    for name in list(frame): del frame[name]
    return frame
def names(values): return values
def double(x):
    try: x[:] = 0
    except TypeError: pass
    return x
""",
    "the frames of a test": """\
import sys, gc
def double(x):
    for frame in [sys._getframe(n) for n in range(3)]:
        frame.f_globals['number'] = 0
        frame.f_globals['expected'] = None
    for found in gc.get_objects():
        if isinstance(found, dict) and 'expected' in found: found['expected'] = None
    return None
""",
}
