"""Classes of the learner's: inheritance, properties, operators, exceptions."""

from __future__ import annotations

from tests.equality.cells import answer, locked_tests, notebook, read_only
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
