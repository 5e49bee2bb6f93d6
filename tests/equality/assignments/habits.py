"""What is usual in courses: names of Python's own taken, sources without solutions, a database file."""

from __future__ import annotations

from tests.equality.cells import answer, code, locked_tests, notebook, read_only
from tests.equality.course import Submission, assignment

TAKEN_NAMES = assignment(
    "taken-names",
    notebook(
        answer(
            "words",
            """
            ### BEGIN SOLUTION
            words = ["pear", "fig"]
            longest = max(words, key=len)

            def total(values):
                return sum(values)
            ### END SOLUTION
            """,
        ),
        locked_tests("list", "assert list(words) == words\nassert len(words) == 2", 1),
        locked_tests("sum", "assert sum(len(word) for word in words) == 7", 1),
        locked_tests("kind", "assert str(longest) == 'pear'\nassert len(longest) == 4", 1),
        locked_tests("sorted", "assert sorted(words) == ['fig', 'pear']\nprint(max(words))", 1),
        locked_tests("total", "assert total([1, 2]) == 3", 1),
    ),
    Submission("ann"),
    Submission("bob", {"words": "list = ['pear', 'fig']\nwords = list\nlen = 4\nlongest = 'pear'"}),
    Submission(
        "cyd",
        {
            "words": """
                sum = 0
                for n in [1, 2]:
                    sum += n
                def total(values):
                    return sum
                words = ['pear', 'fig']
                max = words[0]
                longest = max
                """
        },
    ),
    Submission("dee", {"words": "words = ['fig', 'pear']\nstr = 'pear'\nlongest = str\nprint = None"}),
)

REPLACED_NAMES = assignment(
    "replaced-names",
    notebook(
        read_only("given", "import numpy as np\ndata = np.array([2.0, 4, 4, 4, 5, 5, 7, 9])"),
        answer(
            "moments",
            """
            ### BEGIN SOLUTION
            def mean(values):
                return sum(values) / len(values)

            def variance(values):
                return sum((value - mean(values)) ** 2 for value in values) / len(values)
            ### END SOLUTION
            """,
        ),
        locked_tests("variance", "import inspect\nassert 'mean' in inspect.getsource(variance)", 1),
        locked_tests("function", "assert inspect.isfunction(mean)\nassert variance(data) == 4", 1),
        answer(
            "summary",
            """
            ### BEGIN SOLUTION
            def summary(values):
                return {"mean": mean(values), "sd": variance(values) ** 0.5}
            ### END SOLUTION
            """,
        ),
        locked_tests(
            "with-the-right-ones",
            """
            def mean(values):
                return float(np.mean(values))

            def variance(values):
                return float(np.var(values))

            assert summary(data) == {'mean': 5.0, 'sd': 2.0}
            """,
            2,
        ),
    ),
    Submission("ann"),
    Submission(
        "bob",
        {"moments": "def mean(values):\n    return 0\n\ndef variance(values):\n    return mean(values)"},
    ),
    Submission("cyd", {"moments": "mean = np.mean\nvariance = np.var"}),
    Submission("dee", solved=False),
)

_STACK = """
class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)
        return self

    def __contains__(self, item):
        return item in self.items

def apply(function, values):
    return [function(value) for value in values]
"""

NO_SOLUTIONS = assignment(
    "no-solutions",
    notebook(
        answer("stack", "raise NotImplementedError"),
        locked_tests("push", "stack = Stack().push(1).push(2)\nassert stack.items == [1, 2]", 2),
        locked_tests(
            "contains",
            """
            ### BEGIN HIDDEN TESTS
            stack.push("hidden")
            assert "hidden" in stack
            ### END HIDDEN TESTS
            assert 3 not in stack
            """,
            1,
        ),
        locked_tests("later", "assert apply(len, ['a', 'bb']) == [1, 2]\nassert 2 in stack", 1),
        locked_tests(
            "share",
            """
            points = 0
            for value in (1, 2, "hidden"):
                try:
                    points += value in stack
                except NameError:
                    pass
            points
            """,
            3,
        ),
    ),
    Submission("ann", {"stack": _STACK}),
    Submission("bob", {"stack": _STACK.replace("return self\n", "pass\n")}),
    Submission("cyd", {"stack": _STACK.replace("return item in self.items", "return False")}),
    Submission("dee", {"stack": "def apply(function, values):\n    return map(function, values)"}),
    Submission("eli", solved=False),
)

DATABASE = assignment(
    "database",
    notebook(
        code("import sqlite3"),
        answer(
            "shop",
            """
            ### BEGIN SOLUTION
            shop = sqlite3.connect("shop.db")
            shop.execute("create table items (name text, price real)")
            shop.executemany("insert into items values (?, ?)", [("pen", 1.5), ("ink", 4.0)])
            shop.commit()

            def cheap(connection, limit):
                found = connection.execute("select name from items where price < ?", (limit,))
                return [name for name, in found]
            ### END SOLUTION
            """,
        ),
        locked_tests("cheap", "assert cheap(shop, 2) == ['pen']", 1),
        locked_tests(
            "stored",
            """
            again = sqlite3.connect("shop.db")
            assert again.execute("select count(*) from items").fetchone() == (2,)
            again.close()
            """,
            2,
        ),
        locked_tests(
            "other",
            """
            other = sqlite3.connect("other.db")
            other.execute("create table items (name text, price real)")
            other.execute("insert into items values ('cup', 9)")
            other.commit()
            assert cheap(other, 10) == ["cup"]
            """,
            1,
        ),
    ),
    Submission("ann"),
    Submission(
        "bob",
        {
            "shop": """
                shop = sqlite3.connect(":memory:")
                shop.execute("create table items (name text, price real)")
                def cheap(connection, limit):
                    return connection.execute("select name from items").fetchall()
                """
        },
    ),
    Submission("cyd", solved=False),
)

THREADS = assignment(
    "threads",
    notebook(
        answer(
            "parallel",
            """
            ### BEGIN SOLUTION
            from concurrent.futures import ThreadPoolExecutor

            def parallel(function, values):
                with ThreadPoolExecutor(4) as pool:
                    return list(pool.map(function, values))
            ### END SOLUTION
            """,
        ),
        locked_tests("numbers", "assert parallel(lambda n: n + 1, range(20)) == list(range(1, 21))", 2),
        locked_tests("texts", "assert parallel(str.upper, 'ab') == ['A', 'B']", 1),
    ),
    Submission("ann"),
    Submission("bob", {"parallel": "def parallel(function, values):\n    return map(function, values)"}),
    Submission("cyd", solved=False),
)

PROGRAMS = assignment(
    "programs",
    notebook(
        answer(
            "program",
            """
            %%writefile program.py
            ### BEGIN SOLUTION
            import sys

            print("told", *sys.argv[1:])
            ### END SOLUTION
            """,
        ),
        locked_tests("shell", "shown = !python program.py a b\nassert shown == ['told a b']", 2),
        locked_tests(
            "subprocess",
            """
            import subprocess

            done = subprocess.run(["python", "program.py", "c"], capture_output=True, text=True)
            assert done.stdout == "told c\\n"
            """,
            1,
        ),
    ),
    Submission("ann"),
    Submission("bob", {"program": "print('told a b')"}),
    Submission("cyd", solved=False),
)
