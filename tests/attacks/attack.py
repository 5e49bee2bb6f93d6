"""The assignment that is attacked, and what an attacker hands in.

Two answers, tests with visible and hidden parts, one test that can only run in the learner's kernel, and a
written answer. The tests are worth what `FULL` says; a person grades the written answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tests.equality.cells import answer, essay, locked_tests, notebook, text
from tests.equality.course import Submission

ASSIGNMENT = "ps1"
NOTEBOOK = "work"
FULL: Mapping[str, float | None] = {"double-tests": 2.0, "shout-tests": 3.0, "session-tests": 1.0}
NOTHING: Mapping[str, float | None] = dict.fromkeys(FULL, 0.0)
FORGEABLE = "session-tests"

HIDDEN_WORD = "hidden-7f3a-word"
SOLUTION_WORD = "solution-90c1-word"
ANSWER_WORD = "answer-5be2-word"
GRADEBOOK_WORD = "gradebook-e6d4-word"
HOME_WORD = "home-2a9d-word"
TOKEN_WORD = "token-c81b-word"
SECRETS = (HIDDEN_WORD, SOLUTION_WORD, ANSWER_WORD, GRADEBOOK_WORD, HOME_WORD, TOKEN_WORD)

Edit = Callable[[NotebookNode], None]

WORK = notebook(
    text("# Two functions"),
    answer(
        "double",
        f"""
        def double(number):
            ### BEGIN SOLUTION
            return 2 * number  # {SOLUTION_WORD}
            ### END SOLUTION
        """,
    ),
    locked_tests(
        "double-tests",
        """
        assert double(2) == 4
        ### BEGIN HIDDEN TESTS
        assert double(21) == 42
        assert double([1]) == [1, 1]
        ### END HIDDEN TESTS
        """,
        points=2,
    ),
    answer(
        "shout",
        f"""
        def shout(words):
            ### BEGIN SOLUTION
            return words.upper() + "!"  # {SOLUTION_WORD}
            ### END SOLUTION
        """,
    ),
    locked_tests(
        "shout-tests",
        f"""
        assert shout("quiet") == "QUIET!"
        ### BEGIN HIDDEN TESTS
        assert shout("{HIDDEN_WORD}") == "{HIDDEN_WORD.upper()}!"
        ### END HIDDEN TESTS
        """,
        points=3,
    ),
    locked_tests(
        "session-tests",
        f"""
        assert callable(get_ipython().user_ns["double"])
        ### BEGIN HIDDEN TESTS
        assert get_ipython().user_ns["shout"]("{HIDDEN_WORD}").startswith("HIDDEN")
        ### END HIDDEN TESTS
        """,
        points=1,
    ),
    essay("explain", f"Because. {SOLUTION_WORD}", points=4),
)
HONEST = {
    "double": "def double(number):\n    return number * 2",
    "shout": "def shout(words):\n    return f'{words.upper()}!'",
    "explain": "Because it does.",
}
WRONG = {"double": "def double(number):\n    return 3", "shout": "def shout(words):\n    return ''"}


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One attacker's submission: a good one, but for what is said here.

    Attributes:
        name: Also in the attacker's id.
        first: A cell before all others.
        last: A cell behind all others.
        answers: By grade_id, other solutions.
        edit: What else is done to the notebook.
        files: Files beside the notebook.
        tamper: What is done to the folder when all is there.
        scores: What the attacker gets: as much as honest code with these answers would.
        refused: Whether nothing can be graded, and the report says so.
    """

    name: str
    first: str = ""
    last: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    edit: Edit | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    tamper: Callable[[Path], object] | None = None
    scores: Mapping[str, float | None] = field(default_factory=lambda: FULL)
    refused: bool = False

    @property
    def student(self) -> str:
        return f"mallory-{self.name}"

    @property
    def submission(self) -> Submission:
        return Submission(self.student, {**HONEST, **self.answers}, edit=self._edit, files=self.files)

    def told(self, places: Mapping[str, str]) -> Attack:
        """Return the attack with the places filled in that its code names, such as `{course}`."""

        def filled(code: str) -> str:
            for name, place in places.items():
                code = code.replace(f"{{{name}}}", place)
            return code

        return replace(
            self,
            first=filled(self.first),
            last=filled(self.last),
            answers={name: filled(code) for name, code in self.answers.items()},
            files={name: filled(content) for name, content in self.files.items()},
        )

    def _edit(self, submitted: NotebookNode) -> None:
        if self.first:
            submitted.cells.insert(0, new_code_cell(self.first))
        if self.last:
            submitted.cells.append(new_code_cell(self.last))
        if self.edit is not None:
            self.edit(submitted)
