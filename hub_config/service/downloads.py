"""What was handed in, given back: every submission of a learner, and the files of each as they were sent."""

from __future__ import annotations

from datetime import UTC

from course.errors import NotFound
from course.language import translator
from course.releases import ReleaseStore
from course.roster import TEACHING
from course.submissions import SubmissionStore
from hub_config.service.exchange import ASSIGNMENT, SUBMISSION, ExchangeHandler
from hub_config.service.handler import Route, TrainerHandler
from hub_config.service.pages import PageHandler

CHUNK_BYTES = 256 * 1024
STATES = {"received": "waits", "grading": "is being graded", "graded": "graded", "failed": "grading failed"}


class HistoryHandler(ExchangeHandler, TrainerHandler):
    """`GET api/assignments/{assignment}/submissions/{learner}`: all of a learner's, newest first."""

    async def get(self, assignment: str, learner: str) -> None:
        self.reply_with(await self.run(self.submissions.of, learner, assignment))


class FilesHandler(ExchangeHandler):
    """`GET api/submissions/{id}/files.zip`: for whose it is, and for trainers."""

    signs_in = True

    async def get(self, number: str) -> None:
        submission = await self.get_visible(number)
        stamp = submission.received_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        name = f"{submission.assignment}-{submission.learner}-{stamp}.zip"
        packed = await self.run(self.submissions.packed, submission)
        with packed:
            self.set_header("Content-Type", "application/zip")
            self.set_header("Content-Disposition", f'attachment; filename="{name}"')
            while chunk := await self.run(packed.read, CHUNK_BYTES):
                self.write(chunk)
                await self.flush()


class HistoryPage(PageHandler):
    """`GET submissions[/{learner}]`: what a learner handed in; a trainer chooses whose."""

    async def get(self, learner: str | None = None) -> None:
        if self.member.role not in TEACHING:
            if learner not in (None, self.member.name):
                raise NotFound("There is no such page in the course service.")
            await self._show(self.member.name)
        elif learner is None:
            members = await self.run(self.services.roster.members)
            self.show("submitters", learners=[each for each in members if each.role == "learner"])
        else:
            await self._show(learner)

    async def _show(self, learner: str) -> None:
        database = self.services.database
        store = SubmissionStore(database, self.services.state.submissions_dir)
        member = await self.run(self.services.roster.find, learner)
        released = await self.run(ReleaseStore(database).released)
        _ = self.translate
        self.show(
            "submissions",
            own=learner == self.member.name,
            person=learner if member is None else member.display_name,
            submissions=await self.run(store.of, learner),
            titles={release.assignment: release.title for release in released},
            states={state: _(text) for state, text in STATES.items()},
            problem=translator("exchange", self.services.settings.language),
        )


routes: tuple[Route, ...] = (
    (ASSIGNMENT + r"/submissions/([a-z0-9-]+)", HistoryHandler),
    (SUBMISSION + r"/files\.zip", FilesHandler),
    (r"submissions(?:/([a-z0-9-]+))?", HistoryPage),
)
