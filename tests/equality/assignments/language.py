"""What Python code does: classes, exceptions, generators, printing, mutation, state, magics."""

from __future__ import annotations

from tests.equality.cells import answer, code, locked_tests, notebook, read_only
from tests.equality.course import Submission, assignment

OBJECTS = assignment(
    "objects",
    notebook(
        read_only(
            "given",
            """
            class Shape:
                def area(self):
                    raise NotImplementedError

                def describe(self):
                    return f"{type(self).__name__} of {self.area():.2f}"
            """,
        ),
        answer(
            "classes",
            """
            ### BEGIN SOLUTION
            class NegativeSide(ValueError):
                def __init__(self, side):
                    super().__init__(f"negative: {side}")
                    self.side = side


            class Rectangle(Shape):
                count = 0

                def __init__(self, a, b):
                    for side in (a, b):
                        if side < 0:
                            raise NegativeSide(side)
                    self.a, self.b = a, b
                    Rectangle.count += 1

                def area(self):
                    return self.a * self.b

                @property
                def sides(self):
                    return self.a, self.b

                @classmethod
                def square(cls, a):
                    return cls(a, a)

                def __eq__(self, other):
                    return isinstance(other, Rectangle) and self.sides == other.sides

                def __lt__(self, other):
                    return self.area() < other.area()

                def __add__(self, other):
                    return Rectangle(self.a + other.a, self.b + other.b)

                def __len__(self):
                    return 4

                def __repr__(self):
                    return f"Rectangle({self.a}, {self.b})"

                def __enter__(self):
                    return self

                def __exit__(self, *exception):
                    self.a = self.b = 0
            ### END SOLUTION
            """,
        ),
        locked_tests(
            "area",
            """
            r = Rectangle(2, 3)
            assert r.area() == 6
            assert r.sides == (2, 3)
            """,
            2,
        ),
        locked_tests(
            "inherited", "assert r.describe() == 'Rectangle of 6.00'\nassert isinstance(r, Shape)", 2
        ),
        locked_tests(
            "exceptions",
            """
            try:
                Rectangle(-1, 2)
            except NegativeSide as error:
                assert error.side == -1
                assert "negative: -1" in str(error)
            else:
                raise AssertionError("a negative side is an error")
            """,
            2,
        ),
        locked_tests(
            "value-error",
            """
            try:
                Rectangle(1, -2)
                assert False
            except ValueError:
                pass
            """,
            1,
        ),
        locked_tests(
            "operators",
            """
            assert Rectangle(1, 2) == Rectangle(1, 2)
            assert Rectangle(1, 2) < Rectangle(2, 2)
            assert (Rectangle(1, 2) + Rectangle(3, 4)).sides == (4, 6)
            assert sorted([Rectangle(3, 3), Rectangle(1, 1)])[0].area() == 1
            """,
            2,
        ),
        locked_tests(
            "class",
            """
            assert Rectangle.square(3).area() == 9
            assert Rectangle.count >= 1
            assert len(r) == 4
            """,
        ),
        locked_tests(
            "context",
            """
            with Rectangle(2, 2) as s:
                assert s.area() == 4
            assert s.area() == 0
            """,
        ),
        locked_tests(
            "shown",
            """
            assert repr(r) == 'Rectangle(2, 3)'
            assert str(r) == repr(r)
            assert hasattr(r, 'sides')
            """,
        ),
        locked_tests(
            "attribute",
            """
            r.a = 5
            assert r.area() == 15
            assert not hasattr(r, 'volume')
            """,
        ),
    ),
    Submission("ann"),
    Submission(
        "bob",
        {
            "classes": """
                class Rectangle:
                    def __init__(self, a, b):
                        self.a, self.b = a, b
                        self.sides = (a, b)
                    def area(self):
                        return self.a * self.b
                    @staticmethod
                    def square(a):
                        return Rectangle(a, a)
                """
        },
    ),
    Submission(
        "cyd",
        {
            "classes": """
                class Rectangle(Shape):
                    def __init__(self, a, b):
                        raise RuntimeError('not today')
                """
        },
    ),
    Submission("dee", solved=False),
)

FUNCTIONS = assignment(
    "functions",
    notebook(
        answer(
            "functions",
            """
            ### BEGIN SOLUTION
            from functools import lru_cache


            def countdown(n):
                while n > 0:
                    yield n
                    n -= 1


            def squares():
                n = 0
                while True:
                    yield n * n
                    n += 1


            def greet(*names, greeting="Hello"):
                for name in names:
                    print(f"{greeting}, {name}!")


            def apply(function, values):
                return [function(value) for value in values]


            def adder(n):
                return lambda value: value + n


            @lru_cache(maxsize=None)
            def fibonacci(n):
                return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


            def running(values):
                total = 0
                for value in values:
                    total += value
                    yield total
            ### END SOLUTION
            """,
        ),
        locked_tests(
            "generator", "assert list(countdown(3)) == [3, 2, 1]\nassert next(countdown(9)) == 9", 2
        ),
        locked_tests(
            "endless",
            """
            from itertools import islice
            assert list(islice(squares(), 4)) == [0, 1, 4, 9]
            """,
            1,
        ),
        locked_tests(
            "printing",
            """
            import io
            from contextlib import redirect_stdout

            with redirect_stdout(io.StringIO()) as printed:
                greet("Ann", "Bob")
                greet("Cyd", greeting="Bye")
            assert printed.getvalue() == "Hello, Ann!\\nHello, Bob!\\nBye, Cyd!\\n"
            """,
            2,
        ),
        locked_tests(
            "callback",
            """
            assert apply(len, ['a', 'bb']) == [1, 2]
            assert apply(lambda v: v * 2, [1, 2]) == [2, 4]
            """,
            2,
        ),
        locked_tests(
            "closure",
            """
            add_two = adder(2)
            assert add_two(3) == 5
            assert apply(adder(1), [1]) == [2]
            """,
            1,
        ),
        locked_tests("recursion", "assert fibonacci(30) == 832040", 1),
        locked_tests(
            "iterator",
            """
            assert list(running([1, 2, 3])) == [1, 3, 6]
            assert sum(running(range(3))) == 4
            """,
            1,
        ),
        locked_tests(
            "type-error",
            """
            try:
                countdown()
            except TypeError:
                pass
            else:
                raise AssertionError('countdown wants a number')
            """,
        ),
    ),
    Submission("ann"),
    Submission(
        "bob",
        {
            "functions": """
                def countdown(n):
                    return [n, n - 1, n - 2]

                def squares():
                    return iter([0, 1, 4])

                def greet(*names, greeting='Hello'):
                    print(greeting, *names)

                def apply(function, values):
                    return list(map(function, values))

                def adder(n):
                    return lambda value: n

                def fibonacci(n):
                    return fibonacci(n - 1) + fibonacci(n - 2)

                def running(values):
                    yield from values
                """
        },
    ),
    Submission("cyd", solved=False),
)

STATE = assignment(
    "state",
    notebook(
        read_only(
            "counter",
            """
            log = []

            def note(entry):
                log.append(entry)
                return len(log)
            """,
        ),
        read_only(
            "helpers",
            """
            import math

            def close(a, b, tolerance=1e-6):
                return math.isclose(a, b, abs_tol=tolerance)

            def same_items(a, b):
                return sorted(a) == sorted(b)
            """,
        ),
        answer(
            "sort",
            """
            def sort_in_place(items):
                ### BEGIN SOLUTION
                items.sort()
                ### END SOLUTION

            def fill(table, key, value):
                ### BEGIN SOLUTION
                table.setdefault(key, []).append(value)
                ### END SOLUTION
            """,
        ),
        locked_tests(
            "in-place",
            """
            items = [3, 1, 2]
            assert sort_in_place(items) is None
            assert items == [1, 2, 3]
            """,
            2,
        ),
        locked_tests(
            "table",
            """
            table = {}
            fill(table, 'a', 1)
            fill(table, 'a', 2)
            assert table == {'a': [1, 2]}
            """,
            2,
        ),
        code("items.append(99)\nprint(items)"),
        locked_tests("defined-for-later", "expected = [1, 2, 3, 99]\nassert items == expected", 1),
        answer(
            "total",
            """
            ### BEGIN SOLUTION
            total = sum(expected)
            note('total')
            note('done')
            ### END SOLUTION
            """,
        ),
        locked_tests(
            "helper-functions",
            """
            assert close(total, 105.0000001)
            assert same_items(items, expected[::-1])
            """,
            1,
        ),
        locked_tests("log", "assert log == ['total', 'done']", 1),
        code("total = -total"),
        locked_tests("changed-later", "assert total == -105", 1),
        locked_tests(
            "call-counts",
            """
            before = len(log)
            assert note('again') == before + 1
            assert len(log) == 3
            """,
            1,
        ),
        locked_tests("seen-by-next", "assert 'again' in log", 1),
    ),
    Submission("ann"),
    Submission(
        "bob",
        {
            "sort": """
                def sort_in_place(items):
                    return sorted(items)

                def fill(table, key, value):
                    table[key] = [value]
                """
        },
    ),
    Submission("cyd", {"total": "total = 105\nlog = ['total', 'done']"}),
    Submission("dee", solved=False),
)

NOTEBOOK_CODE = assignment(
    "notebook-code",
    notebook(
        code("""
            %matplotlib inline
            import warnings
            warnings.simplefilter('ignore')
            """),
        answer(
            "magics",
            """
            ### BEGIN SOLUTION
            files = !echo one two
            size = %sx echo three
            ### END SOLUTION
            """,
        ),
        locked_tests("shell", "assert files[0] == 'one two'\nassert list(size) == ['three']", 1),
        answer(
            "await",
            """
            ### BEGIN SOLUTION
            import asyncio

            async def double(n):
                await asyncio.sleep(0)
                return 2 * n

            doubled = await double(4)
            ### END SOLUTION
            """,
        ),
        locked_tests("awaited", "assert doubled == 8", 1),
        code("doubled"),
        code("_ + 1"),
        locked_tests("last-result", "last = Out[max(Out)]\nassert last == 9", 1),
        code(
            """
            from IPython.display import HTML, Markdown, display
            display(Markdown('**bold**'), display_id='x')
            HTML('<b>b</b>')
            """
        ),
        code("""
            import sys
            print('a')
            print('b', file=sys.stderr)
            print('c', end='')
            print('d')
            'last'
            """),
        code("""
            from IPython.display import clear_output
            print('gone')
            clear_output()
            print('kept')
            """),
        code(
            """
            from IPython.display import update_display
            update_display(Markdown('*changed*'), display_id='x')
            """
        ),
        answer(
            "bare",
            """
            ### BEGIN SOLUTION
            ready = __name__ == '__main__'
            ### END SOLUTION
            """,
        ),
        locked_tests("name", "assert ready", 1),
    ),
    Submission("ann"),
    Submission(
        "bob", {"magics": "files = ['one', 'two']\nsize = ['three']", "await": "doubled = await undefined()"}
    ),
    Submission("cyd", solved=False),
)
