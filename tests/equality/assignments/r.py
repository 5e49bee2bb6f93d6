"""R notebooks, run by IRkernel."""

from __future__ import annotations

from tests.equality.assignments.points import AUTOMATIC_TESTS_FILE
from tests.equality.cells import R, answer, code, essay, locked_tests, notebook, read_only
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

TABLES = assignment(
    "tables",
    notebook(
        read_only("read", "towns <- read.csv('data/towns.csv', stringsAsFactors = FALSE)\nstr(towns)"),
        answer(
            "mean",
            """
            ### BEGIN SOLUTION
            means <- aggregate(people ~ country, data = towns, FUN = mean)
            ordered <- towns[order(-towns$people), ]
            share <- round(towns$people / sum(towns$people), 2)
            ### END SOLUTION
            """,
        ),
        code("ordered\nsummary(towns$people)"),
        code("plot(towns$people, main = 'People')"),
        code("cat('no newline'); print(list(a = 1, b = 'two')); invisible(3)"),
        code("message('to stderr')\nwarning('a warning')"),
        code("stop('an error that costs nothing')"),
        locked_tests("mean-tests", "stopifnot(means$people[means$country == 'FR'] == 300)", points=3),
        locked_tests(
            "order-tests",
            """
            check <- function(actual, expected) {
              if (!identical(actual, expected)) stop('expected ', paste(expected, collapse = ' '))
            }
            check(ordered$town, c('Lyon', 'Bern', 'Nice'))
            """,
            points=2,
        ),
        # A number that R shows is no partial credit to nbgrader: no result of IRkernel is one of its kind.
        locked_tests("number", "0.5 * (length(share) == 3)", points=2),
        locked_tests("warns", "if (sum(share) != 1) warning('shares do not add up')", points=1),
        kernelspec=R,
    ),
    Submission("ann"),
    Submission("bob", {"mean": "means <- towns\nordered <- towns\nshare <- c(0.5, 0.4)"}),
    Submission("cyd", {"mean": "means <- (towns"}),
    Submission("dee", solved=False),
    files={"data/towns.csv": "town,country,people\nLyon,FR,500\nNice,FR,100\nBern,CH,200"},
)

AUTOMATIC_TESTS = assignment(
    "automatic-tests",
    notebook(
        answer(
            "values",
            """
            ### BEGIN SOLUTION
            count <- 7
            label <- "Mean"
            values <- c(1.5, 2.5)
            ### END SOLUTION
            """,
        ),
        locked_tests("count-tests", "### AUTOTEST count", points=1),
        locked_tests("label-tests", "### HASHED AUTOTEST label", points=2),
        locked_tests("values-tests", "### AUTOTEST values", points=1),
        kernelspec=R,
    ),
    Submission("ann"),
    Submission("bob", {"values": "count <- 7.5\nlabel <- 'mean'\nvalues <- c(1.5, 2.5)"}),
    Submission("cyd", solved=False),
    files=AUTOMATIC_TESTS_FILE,
)

TIME_LIMIT = assignment(
    "time-limit",
    notebook(
        answer("quick", "### BEGIN SOLUTION\nfound <- 3\n### END SOLUTION"),
        answer("slow", "### BEGIN SOLUTION\nslow <- 1\n### END SOLUTION"),
        locked_tests("slow-tests", "stopifnot(slow == 1)", points=1),
        locked_tests("still-counted", "stopifnot(found == 3)", points=1),
        kernelspec=R,
    ),
    Submission("ann", {"slow": "while (TRUE) {}"}),
    Submission("bob", {"slow": "Sys.sleep(100)"}),
)

R_COURSE = Course("r", (VECTORS, TABLES, AUTOMATIC_TESTS, TIME_LIMIT), config="c.Execute.timeout = 4")
