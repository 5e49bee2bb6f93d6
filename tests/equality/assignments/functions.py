"""Functions: generators, closures, callbacks, printing."""

from __future__ import annotations

from tests.equality.cells import answer, locked_tests, notebook
from tests.equality.course import Submission, assignment

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
