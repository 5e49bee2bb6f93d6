"""What an author has to mend, or should know: findings, and the one table of their codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

LEAST_QUESTIONS = 6
LEAST_TESTS = 4

CODES: Mapping[str, str] = MappingProxyType(
    {
        "M001": "course.yaml, skills.yaml or module.yaml breaks a rule of its format",
        "M002": "a file of the module is missing",
        "M003": "a folder with a module.yaml is not in course.yaml",
        "S001": "there is no such skill in skills.yaml",
        "S002": "the module teaches a skill that no question and no exercise assesses",
        "S003": "a question or an exercise assesses a skill that no module up to here teaches",
        "S004": "the module requires a skill that no earlier module teaches",
        "S005": "a taught skill builds on one that neither this module nor an earlier one teaches",
        "S006": "no module teaches this skill of the map",
        "Q001": "quiz.yaml breaks a rule of its format",
        "Q002": f"the quiz has fewer than {LEAST_QUESTIONS} questions",
        "Q003": "an answer does not explain itself: feedback is missing",
        "Q004": "the right choice is the longest one in every single-choice question",
        "E001": "the notebook's text cannot be read",
        "E002": "a cell's metadata has an unknown key, or keys that do not belong together",
        "E003": "a cell's id is not valid, or is used twice",
        "E004": "tests without their solution cell before them, or a solution cell without tests",
        "E005": "a graded cell has no points",
        "E006": "a region's BEGIN and END marks do not pair up, or stand in the wrong kind of cell",
        "E007": "a tests cell has no visible test",
        "E008": "a tests cell has no hidden tests",
        "E009": f"fewer than {LEAST_TESTS} exercises are graded by tests",
        "E010": "no answer is graded by hand",
        "E011": "a tests or written cell names no skill",
        "E012": "a tag changes how a graded cell runs",
        "E013": "the lesson does not end in the module's own quiz cell",
        "E014": "the reference solution fails",
        "E015": "the empty stub passes",
        "E016": "a cell of the lesson fails",
        "E017": "what learners get is broken: visible tests need the hidden ones, or a stub is no Python",
        "E018": "a test can be forged, and module.yaml has `referee: strict`",
        "W001": "a test can be forged: it can only run beside the learner's code",
    }
)
"""Every finding's code, and what it says; docs/author.md tells how to mend each."""

WARNINGS = frozenset({"W001"})
"""Codes of what an author may leave as it is."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to mend or to know, printed as `path:line: CODE message`; `line` counts from 1."""

    path: Path
    line: int
    code: str
    message: str

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"{self.code} is not in CODES")

    @property
    def is_warning(self) -> bool:
        """Whether the author may leave it as it is."""
        return self.code in WARNINGS

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.code} {self.message}"
