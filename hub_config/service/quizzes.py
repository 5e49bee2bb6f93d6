"""Quizzes: questions without keys, answers in, verdicts out."""

from __future__ import annotations

from datetime import UTC, datetime

from course.api import AnswerRequest
from course.errors import NotFound
from hub_config.service.handler import CourseHandler, Route


class _QuizHandler(CourseHandler):
    """A request about one quiz."""

    def check_known(self, quiz: str) -> None:
        """Raise `NotFound` that names the quizzes there are."""
        slugs = self.services.bank.slugs()
        if quiz not in slugs:
            _ = self.translate
            raise NotFound(
                _("There is no quiz “{quiz}”.").format(quiz=quiz[:80]),
                _("The quizzes are: {quizzes}.").format(quizzes=", ".join(slugs)) if slugs else "",
            )


class ServedQuizHandler(_QuizHandler):
    """`GET api/quizzes/{quiz}`."""

    async def get(self, quiz: str) -> None:
        self.check_known(quiz)
        self.reply(await self.run(self.services.record.served, self.member.name, quiz))


class AnswersHandler(_QuizHandler):
    """`POST api/quizzes/{quiz}/answers`."""

    async def post(self, quiz: str) -> None:
        self.check_known(quiz)
        request = self.body_as(AnswerRequest)
        answer = self.services.record.answer
        self.reply(await self.run(answer, self.member.name, quiz, request, datetime.now(UTC)))


routes: tuple[Route, ...] = (
    (r"api/quizzes/([^/]+)", ServedQuizHandler),
    (r"api/quizzes/([^/]+)/answers", AnswersHandler),
)
