"""Arrays, frames, files and figures."""

from __future__ import annotations

from tests.equality.assignments.frames import FRAME_ANSWERS, frames_notebook
from tests.equality.cells import answer, code, locked_tests, notebook
from tests.equality.course import Submission, assignment

ARRAYS = assignment(
    "arrays",
    notebook(
        code("""
            import random

            import numpy as np

            np.random.seed(7)
            random.seed(7)
            """),
        answer(
            "sample",
            """
            ### BEGIN SOLUTION
            old = np.random.normal(size=5)
            rng = np.random.default_rng(42)
            sample = rng.integers(0, 10, size=(3, 4))
            drawn = random.sample(range(100), 3)

            def standardize(values):
                return (values - values.mean(axis=0)) / values.std(axis=0)

            def double(values):
                values *= 2
            ### END SOLUTION
            """,
        ),
        locked_tests("shape", "assert sample.shape == (3, 4)\nassert sample.dtype.kind == 'i'", 1),
        locked_tests(
            "values",
            """
            expected = np.random.default_rng(42).integers(0, 10, size=(3, 4))
            np.testing.assert_array_equal(sample, expected)
            """,
            2,
        ),
        locked_tests(
            "seeded",
            """
            assert np.allclose(old, np.random.RandomState(7).normal(size=5))
            assert drawn == random.Random(7).sample(range(100), 3)
            """,
            1,
        ),
        locked_tests(
            "function",
            """
            result = standardize(np.arange(12.0).reshape(4, 3))
            np.testing.assert_allclose(result.mean(axis=0), 0, atol=1e-12)
            """,
            2,
        ),
        locked_tests(
            "in-place",
            """
            values = np.arange(4)
            double(values)
            assert values.tolist() == [0, 2, 4, 6]
            """,
            1,
        ),
        locked_tests("share", "round(float((sample == expected).mean()) * 2, 3)", 2),
    ),
    Submission("ann"),
    Submission(
        "bob",
        {
            "sample": """
                old = np.random.normal(size=5)
                sample = np.zeros((3, 4))
                drawn = []
                def standardize(values):
                    return values - values.mean()
                def double(values):
                    return values * 2
                """
        },
    ),
    Submission("cyd", {"sample": "sample = [[1, 2], [3, 4]]"}),
    Submission("dee", solved=False),
)

FILES = assignment(
    "files",
    notebook(
        answer(
            "read",
            """
            ### BEGIN SOLUTION
            import csv
            import json
            from pathlib import Path

            with open("data/cities.csv", newline="") as file:
                cities = list(csv.DictReader(file))

            Path("out").mkdir(exist_ok=True)
            Path("out/names.json").write_text(json.dumps([city["name"] for city in cities]))
            with open("summary.txt", "w") as file:
                print(len(cities), "cities", file=file)
            ### END SOLUTION
            """,
        ),
        locked_tests("read-tests", "assert len(cities) == 3\nassert cities[0]['name'] == 'Basel'", 1),
        locked_tests(
            "written",
            """
            import json
            with open('out/names.json') as file:
                assert json.load(file)[-1] == 'Chur'
            """,
            2,
        ),
        locked_tests(
            "summary", "from pathlib import Path\nassert Path('summary.txt').read_text() == '3 cities\\n'", 1
        ),
        code("import helper\nprint(helper.VERSION)"),
        locked_tests("helper", "from helper import VERSION\nassert VERSION == 'instructor'", 1),
    ),
    Submission("ann"),
    Submission(
        "bob",
        {
            "read": """
                cities = [{'name': 'Basel'}]
                open('summary.txt', 'w').write('3 cities')
                """
        },
    ),
    Submission(
        "cyd",
        files={
            "helper.py": "VERSION = 'learner'\n",
            "data/cities.csv": """
                name
                Nowhere

                """,
        },
    ),
    Submission("dee", {"read": "cities = open('missing.csv').read()"}),
    files={
        "data/cities.csv": """
            name,people
            Basel,1
            Bern,2
            Chur,3

            """,
        "helper.py": "VERSION = 'instructor'\n",
    },
)

FRAMES = assignment(
    "frames",
    frames_notebook(),
    Submission("ann"),
    Submission("bob", FRAME_ANSWERS["partly"]),
    Submission("cyd", FRAME_ANSWERS["wrong"]),
    Submission("dee", solved=False),
)

PLOTS = assignment(
    "plots",
    notebook(
        code("""
            %matplotlib inline
            import matplotlib.pyplot as plt
            import numpy as np
            """),
        answer(
            "plot",
            """
            ### BEGIN SOLUTION
            x = np.linspace(0, 1, 11)
            figure, axes = plt.subplots()
            axes.plot(x, x ** 2, label="square")
            axes.set_title("Squares")
            axes.set_xlabel("x")
            axes.legend();
            ### END SOLUTION
            """,
        ),
        locked_tests("title", "assert axes.get_title() == 'Squares'\nassert axes.get_xlabel() == 'x'", 1),
        locked_tests(
            "line",
            """
            line = axes.lines[0]
            np.testing.assert_allclose(line.get_ydata(), line.get_xdata() ** 2)
            assert len(line.get_xdata()) == 11
            """,
            2,
        ),
        locked_tests(
            "legend", "assert [t.get_text() for t in axes.get_legend().get_texts()] == ['square']", 1
        ),
        locked_tests("figure", "assert isinstance(figure, plt.Figure)\nassert len(figure.axes) == 1", 1),
    ),
    Submission("ann"),
    Submission(
        "bob",
        {
            "plot": """
                plt.plot([0, 1], [0, 1])
                axes = plt.gca()
                axes.set_title('Squares')
                plt.show()
                """
        },
    ),
    Submission("cyd", {"plot": "axes = None"}),
)
