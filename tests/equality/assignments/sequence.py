"""Tests that go on from what the hidden parts of others have done, or look at files of their moment."""

from __future__ import annotations

from tests.equality.cells import answer, code, locked_tests, notebook
from tests.equality.course import Submission, assignment

CHANGED_STATE = assignment(
    "changed-state",
    notebook(
        code("import pandas as pd"),
        answer(
            "account",
            """
            ### BEGIN SOLUTION
            class Account:
                def __init__(self):
                    self.balance = 0

                def deposit(self, amount):
                    self.balance += amount

            account = Account()
            items = [1]
            squares = (n * n for n in range(5))
            df = pd.DataFrame({"n": [1, 2]})

            def add(frame):
                frame["m"] = frame.n * 2
            ### END SOLUTION
            """,
        ),
        locked_tests(
            "deposit",
            """
            assert account.balance == 0
            ### BEGIN HIDDEN TESTS
            account.deposit(10)
            items.append(1)
            assert next(squares) == 0
            add(df)
            assert len(items) == 2
            ### END HIDDEN TESTS
            """,
        ),
        locked_tests("balance", "assert account.balance == 10"),
        locked_tests("items", "assert items == [1, 1]\nlen(items)", 2),
        locked_tests("squares", "assert next(squares) == 1", 1),
        locked_tests("column", "assert list(df.m) == [2, 4]", 1),
        locked_tests("apart", "assert isinstance(items, list)", 1),
        locked_tests("share", "account.balance / 10 * 4", 4),
    ),
    Submission("ann"),
    Submission(
        "bob",
        {
            "account": """
                class Account:
                    balance = 0

                    def deposit(self, amount):
                        self.balance += amount / 2

                account = Account()
                items = []
                squares = iter([0, 2])
                df = pd.DataFrame()

                def add(frame):
                    pass
                """
        },
    ),
    Submission("cyd", solved=False),
)

CHANGED_FILES = assignment(
    "changed-files",
    notebook(
        answer(
            "first",
            """
            ### BEGIN SOLUTION
            with open("out.txt", "w") as file:
                print(1, file=file)
            ### END SOLUTION
            """,
        ),
        locked_tests(
            "written",
            """
            # Looks into out.txt.
            ### BEGIN HIDDEN TESTS
            with open("out.txt") as file:
                assert file.read() == "1\\n"
            ### END HIDDEN TESTS
            """,
            2,
        ),
        answer(
            "second",
            """
            ### BEGIN SOLUTION
            with open("out.txt", "w") as file:
                print(2, file=file)
            ### END SOLUTION
            """,
        ),
        locked_tests(
            "written-again",
            """
            # Looks into out.txt.
            ### BEGIN HIDDEN TESTS
            with open("out.txt") as file:
                assert file.read() == "2\\n"
            ### END HIDDEN TESTS
            """,
        ),
    ),
    Submission("ann"),
    Submission("bob", {"second": "import os\nos.remove('out.txt')"}),
    Submission("cyd", {"first": "open('out.txt', 'w').close()"}),
    Submission("dee", solved=False),
)
