"""State that cells and tests pass on: what is changed in place, counted, defined for later cells."""

from __future__ import annotations

from tests.equality.cells import answer, code, locked_tests, notebook, read_only
from tests.equality.course import Submission, assignment

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
