"""What was handed in, given back: every submission of a learner, and the files of each as they were sent."""

from __future__ import annotations

from datetime import UTC

from hub_config.service.exchange import ASSIGNMENT, SUBMISSION, ExchangeHandler
from hub_config.service.handler import Route, TrainerHandler

CHUNK_BYTES = 256 * 1024


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


routes: tuple[Route, ...] = (
    (ASSIGNMENT + r"/submissions/([a-z0-9-]+)", HistoryHandler),
    (SUBMISSION + r"/files\.zip", FilesHandler),
)
