"""The one name that a notebook of the course can use: `spoc`."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote

from course import checks
from course.api import ServedQuiz
from course.errors import CourseError
from course.language import LANGUAGES, translator
from extensions.client import CourseClient, ServiceUnreachable
from extensions.quiz.placeholder import QuizPlaceholder


class Spoc:
    """What the course offers in a notebook.

    Args:
        client: The course service; None where there is none, as in a kernel that grades.
        language: `en` or `fr`; anything else is English.
    """

    # For test cells: the kernel that grades offers the same.
    check = staticmethod(checks.check)
    score = staticmethod(checks.score)
    call = staticmethod(checks.call)
    approx = staticmethod(checks.approx)
    matches = staticmethod(checks.matches)
    raises = staticmethod(checks.raises)
    table = staticmethod(checks.table)
    figure = staticmethod(checks.figure)
    style = staticmethod(checks.style)

    def __init__(self, client: CourseClient | None, language: str) -> None:
        self._client = client
        self._language = language if language in LANGUAGES else "en"

    def quiz(self, quiz: str) -> Any:
        """Show a quiz and take its answers.

        Raises:
            CourseError: There is no such quiz; the text names those there are.
        """
        if self._client is None:
            return QuizPlaceholder(quiz, self._language)
        # Widgets take a third of a second to import: not before a notebook shows one.
        from extensions.quiz.widget import QuizWidget

        try:
            served = self._client.get(f"api/quizzes/{quote(quiz, safe='')}", ServedQuiz)
        except ServiceUnreachable:
            served = None
        return QuizWidget(self._client, quiz, served, self._language)

    def submit(self, assignment: str = "") -> Any:
        """Hand in an assignment; without a name, the one this notebook belongs to."""
        if self._is_graded():
            return None
        client = self._connected()
        from extensions.kernel.submission import submit

        return submit(client, assignment)

    def feedback(self, assignment: str = "") -> Any:
        """Show the newest feedback on an assignment; without a name, the one this notebook belongs to."""
        if self._is_graded():
            return None
        client = self._connected()
        from extensions.kernel.submission import feedback

        return feedback(client, assignment)

    def __repr__(self) -> str:
        _ = translator("quiz", self._language)
        offers = (
            ('spoc.quiz("…")', _("show a quiz and answer it")),
            ("spoc.submit()", _("hand in this assignment")),
            ("spoc.feedback()", _("see the feedback on it")),
        )
        lines = (f"  {call:<18}{purpose}" for call, purpose in offers)
        return "\n".join([_("The course, in this notebook:"), *lines])

    def wording(self, error: CourseError) -> list[str]:
        """Return what to tell the learner of `error`, line by line."""
        _ = translator("quiz", self._language)
        return [_(line) for line in str(error).splitlines()]

    def _is_graded(self) -> bool:
        # A submitted notebook that submits itself must not look broken in its own feedback.
        return self._client is None and "NBGRADER_EXECUTION" in os.environ

    def _connected(self) -> CourseClient:
        if self._client is None:
            _ = translator("quiz", self._language)
            raise CourseError(
                _("This notebook is not connected to a course."),
                _("Open it on your own server, from the page that your trainer gave you."),
            )
        return self._client
