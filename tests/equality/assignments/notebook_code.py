"""What only a notebook runs: magics, shell commands, top-level await, displays."""

from __future__ import annotations

from tests.equality.cells import answer, code, locked_tests, notebook
from tests.equality.course import Submission, assignment

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
