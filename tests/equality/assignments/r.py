"""An R notebook, run by IRkernel."""

from __future__ import annotations

from tests.equality.cells import R, answer, code, essay, locked_tests, notebook
from tests.equality.course import Course, Submission, assignment

VECTORS = assignment(
    "vectors",
    notebook(
        code("library(stats)\nheights <- c(1.6, 1.7, 1.9)"),
        answer(
            "spread",
            """
            ### BEGIN SOLUTION
            spread <- function(values) max(values) - min(values)
            tall <- heights[heights > 1.65]
            ### END SOLUTION
            """,
        ),
        locked_tests("spread-tests", "stopifnot(abs(spread(heights) - 0.3) < 1e-9)", points=2),
        locked_tests("tall-tests", "if (length(tall) != 2) stop('two are tall')", points=1),
        locked_tests(
            "hidden",
            """
            ### BEGIN HIDDEN TESTS
            stopifnot(identical(spread(c(1, 1)), 0))
            ### END HIDDEN TESTS
            """,
            points=1,
        ),
        essay("why", "Because.", points=2),
        kernelspec=R,
    ),
    Submission("ann"),
    Submission("bob", {"spread": "spread <- function(values) 0.3\ntall <- c(1.9)"}),
    Submission("cyd", solved=False),
)

R_COURSE = Course("r", (VECTORS,))
