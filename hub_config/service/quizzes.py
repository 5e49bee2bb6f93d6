"""Quizzes: questions without keys, answers in, verdicts out."""

from __future__ import annotations

from datetime import UTC, datetime

from course.api import AnswerRequest
from course.errors import NotFound
from course.releases import ReleaseStore
from course.roster import TEACHING
from hub_config.service.handler import CourseHandler, Route


class _QuizHandler(CourseHandler):
    """A request about one quiz."""

    async def check_known(self, quiz: str) -> None:
        """Raise `NotFound` that names the quizzes there are; for learners, those of released modules."""
        slugs = await self.run(self._slugs)
        if quiz not in slugs:
            _ = self.translate
            raise NotFound(
                _("There is no quiz “{quiz}”.").format(quiz=quiz[:80]),
                _("The quizzes are: {quizzes}.").format(quizzes=", ".join(slugs)) if slugs else "",
            )

    def _slugs(self) -> tuple[str, ...]:
        slugs = self.services.bank.slugs()
        if self.member.role in TEACHING:
            return slugs
        released = {release.assignment for release in ReleaseStore(self.services.database).released()}
        return tuple(slug for slug in slugs if slug in released)


class ServedQuizHandler(_QuizHandler):
    """`GET api/quizzes/{quiz}`."""

    async def get(self, quiz: str) -> None:
        await self.check_known(quiz)
        self.reply(await self.run(self.services.record.served, self.member.name, quiz))


class AnswersHandler(_QuizHandler):
    """`POST api/quizzes/{quiz}/answers`."""

    async def post(self, quiz: str) -> None:
        await self.check_known(quiz)
        request = self.body_as(AnswerRequest)
        answer = self.services.record.answer
        self.reply(await self.run(answer, self.member.name, quiz, request, datetime.now(UTC)))


routes: tuple[Route, ...] = (
    (r"api/quizzes/([^/]+)", ServedQuizHandler),
    (r"api/quizzes/([^/]+)/answers", AnswersHandler),
)
