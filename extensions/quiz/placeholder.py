"""What stands for a quiz where no course service is: in a kernel that grades, on a laptop."""

from __future__ import annotations

from course.language import translator


class QuizPlaceholder:
    """Says in plain text where the quiz can be answered."""

    def __init__(self, quiz: str, language: str) -> None:
        self._quiz = quiz
        self._language = language

    def __repr__(self) -> str:
        return plain_text(self._quiz, self._language)


def plain_text(title: str, language: str) -> str:
    """Return the line that stands for a quiz where widgets are not shown."""
    _ = translator("quiz", language)
    return _("Quiz “{title}”: open this notebook in JupyterLab, on your course server, to answer it.").format(
        title=title
    )
