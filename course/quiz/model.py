"""A module's `quiz.yaml`: questions with their key, and feedback that explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import ascii_lowercase
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, NonNegativeFloat, field_validator

from course.document import Document, Location, read_document
from course.manifest import Slug, Text
from course.quiz.normal import is_near, normal_text

QUIZ_FILE = "quiz.yaml"

Points = Annotated[FiniteFloat, Field(gt=0, le=1000)]
Attempts = Annotated[int, Field(ge=1, le=20)]


class Choice(Document):
    """One thing to choose. Learners see `id` and `text`; `feedback` only once they have chosen it."""

    id: Slug = Field(description="For reports. Left out: a, b, c … by position, which is what learners see.")
    text: Text = Field(description="Markdown.")
    correct: bool
    feedback: Text = Field(description="Markdown: what choosing this shows.")


class Feedback(Document):
    """What is said of an answer that no mistake explains."""

    right: Text
    wrong: Text


class WrongValue(Document):
    """A number that a known mistake leads to."""

    value: FiniteFloat
    tolerance: NonNegativeFloat = 0.0
    feedback: Text


class WrongText(Document):
    """A text that a known mistake leads to."""

    text: Text
    feedback: Text


class _QuestionBase(Document):
    id: Slug
    prompt: Text = Field(description="Markdown.")
    points: Points = 1.0
    skills: tuple[Slug, ...] = Field(min_length=1, description="Ids of skills in skills.yaml.")
    attempts: Attempts | None = Field(None, description="Left out: the quiz's.")


class _ChoiceQuestion(_QuestionBase):
    choices: tuple[Choice, ...] = Field(min_length=2, max_length=12)

    @field_validator("choices", mode="before")
    @classmethod
    def _letters_for_ids(cls, choices: Any) -> Any:
        if not isinstance(choices, list):
            return choices
        return [
            {"id": letter, **choice} if isinstance(choice, dict) else choice
            for letter, choice in zip(ascii_lowercase, choices, strict=False)
        ]

    def rules(self) -> Iterator[tuple[Location, str]]:
        for index, choice_id in _repeated([choice.id for choice in self.choices]):
            yield ("choices", index, "id"), f"{choice_id} is the id of two choices"
        for index, text in _repeated([normal_text(choice.text) for choice in self.choices]):
            yield ("choices", index, "text"), f"two choices say {text!r}"


class SingleChoice(_ChoiceQuestion):
    """One of several is right."""

    type: Literal["single-choice"]

    def rules(self) -> Iterator[tuple[Location, str]]:
        yield from super().rules()
        correct = sum(choice.correct for choice in self.choices)
        if correct != 1:
            yield ("choices",), f"{correct} choices are correct; a single-choice question has exactly one"


class MultipleChoice(_ChoiceQuestion):
    """Some of several are right; each judged on its own."""

    type: Literal["multiple-choice"]

    def rules(self) -> Iterator[tuple[Location, str]]:
        yield from super().rules()
        if len({choice.correct for choice in self.choices}) == 1:
            yield ("choices",), "a multiple-choice question needs correct and wrong choices"


class Numeric(_QuestionBase):
    """A number, right within an absolute tolerance."""

    type: Literal["numeric"]
    answer: FiniteFloat
    tolerance: NonNegativeFloat = Field(0.0, description="Absolute, in the unit of the answer.")
    unit: str = Field("", max_length=30)
    mistakes: tuple[WrongValue, ...] = ()
    feedback: Feedback

    def rules(self) -> Iterator[tuple[Location, str]]:
        for index, mistake in enumerate(self.mistakes):
            if is_near(mistake.value, self.answer, self.tolerance):
                yield ("mistakes", index, "value"), f"{mistake.value:g} counts as right"


class ShortText(_QuestionBase):
    """A few words; case, spacing and the form of quotes do not matter."""

    type: Literal["short-text"]
    accept: tuple[Text, ...] = Field(min_length=1)
    mistakes: tuple[WrongText, ...] = ()
    feedback: Feedback

    def rules(self) -> Iterator[tuple[Location, str]]:
        accepted = {normal_text(text) for text in self.accept}
        for index, mistake in enumerate(self.mistakes):
            if normal_text(mistake.text) in accepted:
                yield ("mistakes", index, "text"), f"{mistake.text!r} counts as right"


Question = Annotated[SingleChoice | MultipleChoice | Numeric | ShortText, Field(discriminator="type")]


class Quiz(Document):
    """A `<slug>/quiz.yaml`."""

    title: Text
    attempts: Attempts = Field(2, description="For each question that does not say otherwise.")
    questions: tuple[Question, ...] = Field(min_length=1)

    @property
    def points(self) -> float:
        return sum(question.points for question in self.questions)

    def find_question(self, question_id: str) -> Question | None:
        return next((question for question in self.questions if question.id == question_id), None)

    def attempts_at(self, question: Question) -> int:
        return question.attempts or self.attempts

    def rules(self) -> Iterator[tuple[Location, str]]:
        """Ids are unique, and each question keeps its own rules."""
        for index, question_id in _repeated([question.id for question in self.questions]):
            yield ("questions", index, "id"), f"{question_id} is the id of two questions"
        for index, question in enumerate(self.questions):
            for location, message in question.rules():
                yield ("questions", index, *location), message


def read_quiz(path: Path) -> Quiz:
    """Read and check a `quiz.yaml`.

    Raises:
        FileProblems: It is missing, is not YAML, or breaks a rule; every problem is named.
    """
    return read_document(path, Quiz, next_step=f"Then run: spoc module lint {path.resolve().parent.name}")


def _repeated(values: list[str]) -> Iterator[tuple[int, str]]:
    """Yield position and value of each value that stood there before."""
    seen: Counter[str] = Counter()
    for index, value in enumerate(values):
        if seen[value]:
            yield index, value
        seen[value] += 1
