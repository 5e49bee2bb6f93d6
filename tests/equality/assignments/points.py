"""How points come about: partial credit, hidden tests, hashed tests, tests that nbgrader instantiates."""

from __future__ import annotations

from pathlib import Path

import nbgrader

from tests.equality.cells import answer, code, locked_tests, notebook
from tests.equality.course import Submission, assignment

AUTOMATIC_TESTS_FILE = {
    "autotests.yml": Path(nbgrader.__file__)
    .parent.joinpath("docs/source/user_guide/autotests.yml")
    .read_text(encoding="utf-8")
}

PARTIAL_CREDIT = assignment(
    "partial-credit",
    notebook(
        answer(
            "words",
            """
            ### BEGIN SOLUTION
            words = ["sun", "moon", "star", "sky"]
            ### END SOLUTION
            """,
        ),
        locked_tests(
            "share", "found = len(set(words) & {'sun', 'moon', 'star', 'sky'})\nfound / 4 * 3", points=3
        ),
        locked_tests("whole-number", "len([w for w in words if 'o' in w or 's' in w])", points=4),
        locked_tests("nothing-shown", "len(words);", points=1),
        locked_tests("no-number", "'well done' if len(words) > 2 else 'more words are needed'", points=2),
        locked_tests("boolean", "len(words) == 4", points=2),
        locked_tests("negative", "min(len(words) - 4, 0) - 1", points=2),
        locked_tests("numpy-number", "import numpy as np\nnp.float64(len(words)) / 4", points=1),
        locked_tests("printed", "print(0.5)\nassert len(words) > 1", points=1),
        locked_tests("displayed", "display(0.5)\nassert len(words) > 2", points=1),
        locked_tests(
            "warned",
            """
            import sys
            if len(words) < 4:
                print('too few words', file=sys.stderr)
            """,
            points=1.5,
        ),
        locked_tests(
            "raised",
            """
            if len(words) != 4:
                raise ValueError('four words')
            1.75
            """,
            points=2.5,
        ),
    ),
    Submission("ann"),
    Submission("bob", {"words": "words = ['sun', 'tree']"}),
    Submission("cyd", {"words": "words = []"}),
    Submission("dee", {"words": "words = 3"}),
    Submission("eli", solved=False),
)

HIDDEN_TESTS = assignment(
    "hidden-tests",
    notebook(
        answer(
            "even",
            """
            def even(n):
                ### BEGIN SOLUTION
                return n % 2 == 0
                ### END SOLUTION
            """,
        ),
        locked_tests(
            "even-tests",
            """
            assert even(2)
            ### BEGIN HIDDEN TESTS
            assert not even(3)
            ### END HIDDEN TESTS
            assert even(0)
            ### BEGIN HIDDEN TESTS
            sample = [even(n) for n in range(6)]
            assert sum(sample) == 3, "count them"
            ### END HIDDEN TESTS
            """,
            points=2,
        ),
        locked_tests(
            "only-hidden",
            """
            ### BEGIN HIDDEN TESTS
            assert even(-4) is True
            ### END HIDDEN TESTS
            """,
        ),
        locked_tests(
            "partly-hidden",
            """
            n = 5
            ### BEGIN HIDDEN TESTS
            n = 2.5 if even(5) else 3
            ### END HIDDEN TESTS
            n
            """,
            5,
        ),
    ),
    Submission("ann"),
    Submission("bob", {"even": "def even(n):\n    return True"}),
    Submission(
        "cyd",
        {
            "even": """
                def even(n):
                    print('asked for', n)
                    return not n % 2
                """
        },
    ),
    Submission("dee", {"even": "def even(n):\n    return None if n < 0 else n % 2 == 0"}),
    Submission("eli", solved=False),
)

HASHED_TESTS = assignment(
    "hashed-tests",
    notebook(
        code("from hashlib import sha1\nimport hashlib"),
        answer(
            "area",
            """
            ### BEGIN SOLUTION
            area = 12.566370614
            name = 'Circle'
            ### END SOLUTION
            """,
        ),
        locked_tests(
            "area-tests",
            """
            assert sha1(str(type(area)).encode("utf-8") + b"5a").hexdigest() == (
                "9e7ea3ce4cfa6f6bcdeb2bdcbc0b3cdc1ae33dba"
            ) or isinstance(area, float), "area has the wrong type"
            assert sha1(str(round(area, 2)).encode("utf-8") + b"5a").hexdigest() == \\
                sha1(b"12.575a").hexdigest(), "area is not right"
            """,
            points=2,
        ),
        locked_tests(
            "name-tests",
            """
            def check_hash(value, expected, length=12):
                return hashlib.sha256(str(value).lower().strip().encode()).hexdigest()[:length] == expected

            ### BEGIN HIDDEN TESTS
            assert check_hash(name, hashlib.sha256(b"circle").hexdigest()[:12]), "name is not right"
            ### END HIDDEN TESTS
            print('Success!')
            """,
            points=1,
        ),
        locked_tests("again", "assert check_hash(len(name), hashlib.sha256(b'6').hexdigest()[:12])"),
    ),
    Submission("ann"),
    Submission("bob", {"area": "area = 12\nname = ' circle '"}),
    Submission("cyd", {"area": "area = '12.57'\nname = 'Square'"}),
    Submission("dee", solved=False),
)

AUTOMATIC_TESTS = assignment(
    "automatic-tests",
    notebook(
        code("import math"),
        answer(
            "values",
            """
            ### BEGIN SOLUTION
            count = 7
            ratio = math.pi / 2
            names = ["ada", "grace"]
            lookup = {"a": 1, "b": 2}
            label = "Mean"
            flag = count > 3
            ### END SOLUTION
            """,
        ),
        locked_tests("count-tests", "### AUTOTEST count", points=1),
        locked_tests("ratio-tests", "### HASHED AUTOTEST ratio; flag", points=2),
        locked_tests(
            "names-tests",
            """
            ### BEGIN HIDDEN TESTS
            ### HASHED AUTOTEST names
            ### END HIDDEN TESTS
            """,
            points=1,
        ),
        locked_tests("lookup-tests", "assert len(lookup)\n### AUTOTEST lookup; label", points=3),
    ),
    Submission("ann"),
    Submission(
        "bob",
        {
            "values": """
                count = 7.0
                ratio = 1.6
                names = ('ada', 'grace')
                lookup = {}
                label = 'mean'
                """
        },
    ),
    Submission(
        "cyd",
        {
            "values": """
                count = 7
                ratio = 1.5708
                flag = True
                names = ['grace', 'ada']
                lookup = {'a': 1, 'b': 2}
                label = 'mean'
                """
        },
    ),
    Submission("dee", solved=False),
    files=AUTOMATIC_TESTS_FILE,
)
