"""The quiz widget's half in the kernel: carries answers to the course service and its verdicts back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anywidget
from pydantic import ValidationError
from traitlets import Dict, Unicode

from course.api import AnswerRequest, ServedQuestion, ServedQuiz, Verdict
from course.errors import CourseError
from course.language import translator
from extensions.client import CourseClient, ServiceUnreachable
from extensions.quiz.markup import block_html, label_html
from extensions.quiz.messages import messages_in
from extensions.quiz.placeholder import plain_text


class QuizWidget(anywidget.AnyWidget):
    """One quiz: all its questions, and where the learner stands.

    The page sends `{"type": "answer", "event_id", "question", "answer"}` and `{"type": "load"}`. It is told
    `received` at once, then `recorded` (with the verdict in `quiz`), `refused` (with a text) or
    `unreachable`; each with the `event_id`. The page makes the id, so that sending again counts once.
    """

    _esm = Path(__file__).with_name("quiz.js")
    _css = Path(__file__).with_name("quiz.css")

    quiz = Dict(None, allow_none=True, help="The served quiz; None until the service answered.").tag(
        sync=True
    )
    name = Unicode(help="The module's slug.").tag(sync=True)
    owner = Unicode(help="Whose drafts the browser keeps.").tag(sync=True)
    language = Unicode().tag(sync=True)
    messages = Dict(help="What the page says, by name.").tag(sync=True)

    def __init__(self, client: CourseClient, name: str, served: ServedQuiz | None, language: str) -> None:
        super().__init__(
            quiz=None if served is None else shown_quiz(served),
            name=name,
            owner=os.environ.get("JUPYTERHUB_USER", ""),
            language=language,
            messages=messages_in(language),
        )
        self._client = client
        self._path = f"api/quizzes/{quote(name, safe='')}"
        self.on_msg(self._receive)

    def __repr__(self) -> str:
        return plain_text(self.quiz["title"] if self.quiz else self.name, self.language)

    def _receive(self, _widget: object, message: dict[str, Any], _buffers: object) -> None:
        kind = message.pop("type", None)
        event_id = message.get("event_id")
        self.send({"type": "received", "event_id": event_id})
        try:
            if kind == "answer":
                self._client.post(f"{self._path}/answers", AnswerRequest(**message), Verdict)
            self._load()
        except ServiceUnreachable:
            self.send({"type": "unreachable", "event_id": event_id})
        except (CourseError, ValidationError) as error:
            self.send({"type": "refused", "event_id": event_id, "text": self._wording(error)})
        else:
            self.send({"type": "recorded", "event_id": event_id})

    def _load(self) -> None:
        self.quiz = shown_quiz(self._client.get(self._path, ServedQuiz))

    def _wording(self, error: Exception) -> str:
        _ = translator("quiz", self.language)
        if not isinstance(error, CourseError):
            return _("Write your answer first.")
        return " ".join(_(part) for part in (error.problem, error.next_step) if part)


def shown_quiz(served: ServedQuiz) -> dict[str, Any]:
    """Return a quiz for the page: JSON values, Markdown as safe HTML."""
    return {
        "title": served.title,
        "points": served.points,
        "max_points": served.max_points,
        "questions": [_shown_question(question) for question in served.questions],
    }


def _shown_question(question: ServedQuestion) -> dict[str, Any]:
    shown = question.model_dump(mode="json", include={"id", "type", "points", "unit", "attempts_left"})
    return shown | {
        "prompt": block_html(question.prompt),
        "choices": [{"id": choice.id, "text": label_html(choice.text)} for choice in question.choices],
        "last": None if question.last is None else _shown_verdict(question.last),
    }


def _shown_verdict(verdict: Verdict) -> dict[str, Any]:
    shown = verdict.model_dump(
        mode="json", include={"answer", "points", "max_points", "right", "attempts_left"}
    )
    return shown | {
        "feedback": block_html(verdict.feedback),
        "choice_feedback": {choice: block_html(text) for choice, text in verdict.choice_feedback.items()},
    }
