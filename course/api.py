"""What crosses between a learner's server and the course service: the contract of its HTTP API.

Paths are relative to the service's prefix, `/services/course/`. Every request carries the hub token of
the person; a body never says who asks. Errors come as `Problem` with a 4xx or 5xx status.

GET  api/quizzes/{quiz}                        -> ServedQuiz        without keys; where this person stands
POST api/quizzes/{quiz}/answers                -> Verdict           AnswerRequest; a repeat: the same verdict
GET  api/assignments                           -> AssignmentList    released ones, and own submissions
POST api/assignments/{assignment}/submissions  -> Receipt           body: uncompressed tar of regular files
GET  api/submissions/{id}                      -> SubmissionStatus
GET  api/submissions/{id}/files.zip            -> the files as they were sent
GET  api/submissions/{id}/feedback             -> FeedbackDocument  404 until there is one
GET  api/submissions/{id}/feedback/{name}.html -> the notebook with feedback, without scripts

For trainers only:
POST api/assignments/{assignment}/release             show the built assignment to learners
GET  api/assignments/{assignment}/submissions         -> SubmissionList: the newest of every learner;
                                                          with ?all=true all of every learner
GET  api/assignments/{assignment}/submissions/{learner} -> SubmissionList: all of one learner
POST api/assignments/{assignment}/grade/{learner}     grade the newest submission again
POST api/assignments/{assignment}/feedback[/{learner}] release hand-given marks and comments
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

KEY_HEADER = "Idempotency-Key"
"""A UUID that the sender makes for one submission: sent again with it, it gets the same receipt."""

Answer = str | float | list[str]
"""Single choice: a choice id. Multiple choice: choice ids. Numeric: a number. Short text: the text."""

GradingState = Literal["received", "grading", "graded", "failed"]


class Contract(BaseModel):
    """A message of the API: immutable, and nothing in it goes unread."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(Contract):
    """Why a request was refused, and what to do next."""

    problem: str
    next_step: str = ""


class ServedChoice(Contract):
    """One choice as a learner sees it."""

    id: str
    text: str


class Verdict(Contract):
    """What the service says of one answer."""

    question: str
    answer: Answer
    points: float
    max_points: float
    right: bool
    feedback: str = Field(description="Markdown: what this very answer shows, from the author.")
    choice_feedback: dict[str, str] = Field(
        default_factory=dict, description="By choice id, for the chosen ones."
    )
    attempts_left: int


class ServedQuestion(Contract):
    """One question without its key."""

    id: str
    type: Literal["single-choice", "multiple-choice", "numeric", "short-text"]
    prompt: str = Field(description="Markdown.")
    points: float
    choices: tuple[ServedChoice, ...] = ()
    unit: str = ""
    attempts: int
    attempts_left: int
    last: Verdict | None = Field(default=None, description="This person's latest answer.")


class ServedQuiz(Contract):
    """A quiz as one person meets it."""

    quiz: str
    title: str
    questions: tuple[ServedQuestion, ...]
    points: float = Field(description="Best points so far, over all questions.")
    max_points: float


class AnswerRequest(Contract):
    """One answer; `event_id` is made by the client, so that a retry counts once."""

    event_id: UUID
    question: str = Field(max_length=100)
    answer: Answer


class SubmittedFile(Contract):
    """One file of a submission, by its path in the assignment's folder."""

    path: str
    sha256: str
    size_bytes: int


class Receipt(Contract):
    """Proof that a submission is on disk, as it was sent."""

    submission: UUID
    assignment: str
    received_at: datetime
    sha256: str = Field(
        description="Over the lines `sha256  path\\n` of the files, by path: sha256sum's format."
    )
    files: tuple[SubmittedFile, ...]


class CellFeedback(Contract):
    """What grading says of one graded cell."""

    notebook: str
    cell: str = Field(description="The grade id.")
    kind: Literal["tests", "written", "quiz"]
    points: float | None = Field(description="None while a person has still to mark it.")
    max_points: float
    message: str = Field(default="", description="Plain text: why tests failed, without hidden tests.")
    comment: str = Field(default="", description="Plain text, from the trainer.")


class FeedbackDocument(Contract):
    """Feedback on one submission."""

    submission: UUID
    assignment: str
    graded_at: datetime
    points: float = Field(description="Of what is marked so far, after any late penalty.")
    max_points: float
    late_penalty: float = 0.0
    complete: bool = Field(description="False while a person has still to mark something.")
    cells: tuple[CellFeedback, ...]
    notebooks: tuple[str, ...] = Field(description="Names with a feedback page.")


class SubmissionStatus(Contract):
    """Where one submission stands."""

    submission: UUID
    assignment: str
    learner: str
    received_at: datetime
    state: GradingState
    problem: str = Field(default="", description="When `state` is failed: what went wrong, for a person.")
    points: float | None = None
    max_points: float | None = None
    feedback_at: datetime | None = None
    ahead: int | None = Field(
        default=None, description="How many submissions are graded before it; null where it waits for none."
    )


class SubmissionList(Contract):
    """Submissions, newest first."""

    submissions: tuple[SubmissionStatus, ...]


class ReleasedAssignment(Contract):
    """One assignment as a learner sees it in a list."""

    assignment: str
    title: str
    due_at: datetime | None = Field(description="For who asks.")
    extended: bool = Field(default=False, description="Who asks has longer than the others.")
    notebooks: tuple[str, ...]
    submissions: tuple[SubmissionStatus, ...] = ()


class AssignmentList(Contract):
    """The released assignments in the order of the course."""

    course: str
    assignments: tuple[ReleasedAssignment, ...]
