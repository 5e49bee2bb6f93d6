"""Notebooks in which a test at its place meets another state than the last one, or than another test left."""

from __future__ import annotations

from collections.abc import Mapping

Cell = str | tuple[str, str]
"""A learner's cell, or a test: what its learner sees of it and what is hidden."""

FRAME = "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'k': list('abc'), 'v': [1, 2, 3]})"

STATE_CARRYING: Mapping[str, tuple[Cell, ...]] = {
    "nothing-changes": (
        FRAME,
        ("assert len(df) == 3", "assert df.v.sum() == 6"),
        "def total(frame):\n    return frame.v.sum()",
        ("assert total(df) == 6", "expected = 3\nassert total(df[df.v > 2]) == expected"),
    ),
    "function-defined-anew": (
        "def f(): return 1",
        ("assert f() == 1", ""),
        "def f(): return 2",
        ("assert f() == 2", "assert f() == 1"),
    ),
    "what-a-function-calls-defined-anew": (
        "def g(): return 1\ndef f(): return g()",
        ("", "assert f() == 1"),
        "def g(): return 2",
        ("", "assert f() == 2"),
    ),
    "counter-in-a-global": (
        "n = 0\ndef f():\n    global n\n    n += 1\n    return n",
        ("", "assert f() == 1"),
        ("", "assert f() == 1\nassert f() == 2"),
        ("", "assert n == 0"),
    ),
    "visible-test-counts": (
        "calls = []\ndef f():\n    calls.append(1)\n    return len(calls)",
        ("assert f() == 1", "assert f() == 2"),
        ("assert f() == 2", "assert f() == 3"),
    ),
    "mutable-default": (
        "def f(x, seen=[]):\n    seen.append(x)\n    return list(seen)",
        ("", "assert f(1) == [1]"),
        ("", "assert f(2) == [2]"),
    ),
    "closure": (
        "def make():\n    n = 0\n    def f():\n        nonlocal n\n        n += 1\n"
        "        return n\n    return f\nf = make()",
        ("", "assert f() == 1"),
        "f()",
        ("", "assert f() == 2"),
        ("", "assert f() == 2"),
    ),
    "function-attribute": (
        "def f(): return f.n\nf.n = 1",
        ("", "assert f() == 1"),
        "f.n = 2",
        ("", "assert f() == 2"),
    ),
    "table-changed-later": (
        FRAME,
        ("", "assert df.v.tolist() == [1, 2, 3]"),
        "df.loc[0, 'v'] = 9",
        ("", "assert df.v.tolist() == [9, 2, 3]"),
    ),
    "column-added-later": (FRAME, ("", "assert df.shape == (3, 2)"), "df['w'] = 1", ("", "assert 'w' in df")),
    "columns-renamed-later": (
        FRAME,
        ("", "assert 'k' in df"),
        "df.columns = ['x', 'y']",
        ("", "assert 'x' in df"),
    ),
    "index-named-later": (
        FRAME,
        ("", "assert df.index.name is None"),
        "df.index.name = 'n'",
        ("", "assert 1"),
    ),
    "array-changed-through-a-view": (
        "import numpy as np\na = np.arange(6)\nb = a[::2]",
        ("", "assert a.sum() == 15 and b.sum() == 6"),
        "b[:] = 0",
        ("", "assert a.sum() == 9"),
    ),
    "list-in-a-table": (
        "import pandas as pd\nx = [1]\ndf = pd.DataFrame({'v': [x, [2]]})",
        ("", "assert df.v[0] == [1]"),
        "x.append(2)",
        ("", "assert df.v[0] == [1, 2]"),
    ),
    "nested-data": (
        "x = {'a': [1, (2, [3])]}\ny = x['a']",
        ("", "assert x == {'a': [1, (2, [3])]}"),
        "y[1][1].append(4)",
        ("", "assert x['a'][1][1] == [3, 4]"),
    ),
    "same-content-elsewhere": (
        "a = [1]\nb = a\ndef f():\n    a.append(2)\n    return b",
        ("", "assert f() == [1, 2]"),
        "b = [1]",
        ("", "assert f() == [1]"),
    ),
    "true-for-one": (
        "x = [1, 0.0]",
        ("", "assert str(x) == '[1, 0.0]'"),
        "x[:] = [True, -0.0]",
        ("", "assert x[0] is not 1"),
    ),
    "argument-changed-by-a-function": (
        FRAME + "\ndef f(frame):\n    frame['w'] = 1\n    return frame",
        ("", "assert f(df).shape == (3, 3)"),
        ("", "assert df.shape == (3, 2)"),
    ),
    "test-changes-data": (
        "x = [3, 1]\ndef f(): return x",
        ("", "x.sort()\nassert f() == [1, 3]"),
        ("", "assert x == [3, 1]"),
    ),
    "function-makes-a-name": (
        "def f():\n    global found\n    found = 1",
        ("", "f()\nassert found == 1"),
        ("", "try:\n    found\n    assert False\nexcept NameError:\n    2.0"),
    ),
    "name-deleted-later": ("x = 1", ("", "assert x"), "del x", ("", "assert x")),
    "name-comes-later": (
        "import math",
        ("", "assert found == 1"),
        "found = 1",
        ("", "assert found == 1"),
    ),
    "import-comes-later": (
        "x = 1.5",
        ("", "assert math.floor(x)"),
        "import math",
        ("", "assert math.floor(x) == 1"),
    ),
    "name-of-a-visible-test": (
        "x = 1",
        ("for found in [1]:\n    pass", "assert found"),
        ("", "for found in []:\n    pass\nassert found"),
        ("y = 1", ""),
        ("", "assert y"),
    ),
    "class-attribute": (
        "class A:\n    n = 1\n    def f(self): return self.n\na = A()",
        ("", "assert a.f() == 1"),
        "A.n = 2",
        ("", "assert a.f() == 2"),
    ),
    "object-that-counts": (
        "class A:\n    def __init__(self): self.n = 0\n    def f(self):\n        self.n += 1\n"
        "        return self.n\na = A()",
        ("", "assert a.f() == 1"),
        ("", "assert a.f() == 1 and a.f() == 2"),
        "a.f()",
        ("", "assert a.f() == 2"),
    ),
    "iterator": (
        "i = iter([1, 2, 3])",
        ("", "assert next(i) == 1"),
        ("", "assert next(i) == 1"),
        "next(i)",
        ("", "assert next(i) == 2"),
    ),
    "cached": (
        "from functools import lru_cache\ncalls = []\n@lru_cache\n"
        "def f(x):\n    calls.append(x)\n    return x\n",
        ("", "f(1)\nassert calls == [1]"),
        ("", "f(1)\nassert calls == [1]"),
    ),
    "random-numbers": (
        "import random\nimport numpy as np\nrandom.seed(1)\nnp.random.seed(1)\n"
        "def f(): return random.randint(0, 10**9), int(np.random.randint(10**9))",
        ("", "assert f() == (144272509, 1095513148) or 0.5"),
        ("", "first = f()\nassert first == (144272509, 1095513148) or 0.25"),
        "f()",
        ("", "assert f() != first"),
    ),
    "seed-of-a-test": (
        "import random\ndef f(): return random.random()",
        ("", "random.seed(5)\nassert f() == f() or 1.0"),
        ("", "import random\nrandom.seed(5)\nassert f() == random.Random(5).random()"),
    ),
    "folder-changed-later": (
        "from pathlib import Path\ndef f(): return Path('a.txt').exists()\nPath('a.txt').write_text('a')",
        ("", "assert f()"),
        "import pathlib\npathlib.os.chdir('/')",
        ("", "assert not f()"),
    ),
    "warning-shown-once": (
        "import warnings\ndef f():\n    warnings.warn('look')\n    return 1",
        ("", "assert f() == 1"),
        ("", "assert f() == 1"),
        "f()",
        ("", "assert f() == 1"),
    ),
    "warnings-silenced-later": (
        "import warnings\ndef f():\n    warnings.warn('look')\n    return 1",
        ("", "assert f() == 1"),
        "warnings.simplefilter('ignore')",
        ("", "assert f() == 1"),
    ),
    "library-changed-later": (
        FRAME + "\ndef f(): return df.total()",
        ("", "assert f() == 6"),
        "pd.DataFrame.total = lambda self: self.v.sum()",
        ("", "assert f() == 6"),
    ),
    "option-set-later": (
        FRAME + "\ndef f(): return len(repr(pd.DataFrame({'v': range(90)})))",
        ("", "assert f() < 300"),
        "pd.set_option('display.max_rows', 5)",
        ("", "assert f() < 100"),
    ),
    "own-name-of-python": (
        "def f(): return len([1])",
        ("", "assert f() == 1"),
        "len = lambda x: 5",
        ("", "assert f() == 5"),
    ),
    "process-ends-in-a-later-cell": ("import os", ("", "assert os"), "os._exit(0)", ("", "assert os")),
    "process-ends-where-no-text-tells": (
        "import pathlib\nx = 1",
        ("", "assert x"),
        ("", "assert x == 2"),
        "pathlib.os._exit(0)",
        ("", "assert x"),
    ),
    "function-ends-the-process": (
        "import pathlib\nx = 1\ndef f(): pathlib.os._exit(0)",
        ("", "assert x"),
        ("", "f()"),
        ("", "assert x == 1"),
    ),
    "function-without-end": (
        "x = 1\ndef f():\n    while True: pass",
        ("", "assert x"),
        ("", "f()"),
        ("", "assert x == 1"),
    ),
    "cell-without-end": ("x = 1", ("", "assert x"), "while True: pass", ("", "assert x")),
    "functions-of-earlier-tests": (
        "x = 1",
        ("", "def check(): return x"),
        "x = 2",
        ("", "assert check() == 2"),
        "y = 2",
        ("", "assert check() == 2"),
    ),
    "much-data": (
        "import numpy as np\na = np.zeros(10**6)\nx = list(range(10**5))",
        ("", "assert len(x) == 10**5 and len(a) == 10**6"),
        "a[-1] = 1",
        ("", "assert x[-1]"),
    ),
    "cells-that-fail": ("1/0", ("", "assert 1"), "x = undefined", ("", "assert x"), ("", "1.5")),
}
