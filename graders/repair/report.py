"""What was repaired in a notebook, in one plain sentence each, and why one cannot be read at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from course.errors import CourseError
from course.language import translator

SURFACE = "exchange"

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "format": "The notebook was in the older format {version}; it was brought up to date.",
        "damage": "Parts of the notebook were damaged; what could be read of them was kept.",
        "schema": "Cells lacked the version of their grading data, or had a wrong one; it was put right.",
        "metadata": "The grading data of the cell {cell} was changed ({what}); it was put back.",
        "source": "The text of the locked cell {cell} was changed; the original was used.",
        "type": "The cell {cell} was made a {found} cell; it is a {wanted} cell again.",
        "ordinary-type": "A cell of the assignment was made a {found} cell; it is a {wanted} cell again.",
        "restored": "The cell {cell} was missing; it was put back.",
        "setup": "A cell of the assignment that defines {names} was missing; it was put back.",
        "no-answer": "The cell for the answer {cell} is missing, and no answer for it was found elsewhere.",
        "recognised": "The cell {cell} had lost its name; it was recognised by what is in it.",
        "renamed": "A cell was named {found}, but it is {cell} by what is in it.",
        "copy": "There was more than one cell {cell}; the last one that holds an answer counts.",
        "locked-copy": "There was more than one cell {cell}; one of them is graded, with its original text.",
        "joined": "The cell {cell} was split; its parts were put together.",
        "divided": "The cell {cell} was merged with another one; they were taken apart.",
        "answer-moved": "The answer {cell} stood in another cell; it was moved into its own.",
        "order": "The cell {cell} stood elsewhere; it was put back in its place.",
        "ordinary-order": "A cell of the assignment that defines {names} stood elsewhere; it was put back.",
        "foreign": "The cell {cell} does not belong to this assignment; it is not graded.",
        "tag": "A tag that changes how cells are run was taken away: {tag}.",
    }
)
"""By kind. `cell` is a grade_id; learners know such names from their feedback."""

CHANGES = ("points", "locked", "grade", "solution", "task")
"""What "metadata" can name as changed."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One repair: its kind (a key of `SENTENCES`), the grade_id of the cell, empty where it has none."""

    kind: str
    cell: str = ""
    values: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def text(self) -> str:
        """The sentence in English."""
        return self.told("en")

    def told(self, language: str) -> str:
        """Return the sentence in a language of `course.language`."""
        translate = translator(SURFACE, language)
        known = {key: translate(value) for key, value in self.values.items()}
        return translate(SENTENCES[self.kind]).format(cell=self.cell, **known)


class Unreadable(CourseError):
    """No notebook can be made of the file; `told` says so in the learner's language."""

    def __init__(self, problem: str, next_step: str, name: str = "", **values: str) -> None:
        self._parts = (problem, next_step)
        self._values = {"name": name, **values}
        super().__init__(problem.format(**self._values), next_step.format(**self._values))

    def told(self, language: str) -> str:
        """Return problem and next step, each on a line of its own."""
        translate = translator(SURFACE, language)
        return "\n".join(translate(part).format(**self._values) for part in self._parts)
