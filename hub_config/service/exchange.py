"""The exchange: what is released, what is handed in, what came of it.

A learner sees own submissions only; another's does not exist for them. The time of a submission is this
server's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import BinaryIO, ClassVar
from uuid import UUID

from tornado.web import stream_request_body

from course.api import KEY_HEADER, AssignmentList, ReleasedAssignment, SubmissionList, SubmissionStatus
from course.archive import MAX_ARCHIVE_BYTES, MAX_BYTES
from course.due_dates import DueDates, later
from course.errors import Conflict, CourseError, NotAllowed, NotFound, TooLarge
from course.feedback import FeedbackStore
from course.grading import GradingQueue
from course.manifest import read_course
from course.releases import Release, ReleaseStore
from course.roster import TEACHING
from course.submissions import Submission, SubmissionStore
from graders.authoring.publication import Calendar
from graders.authoring.release import release_generated
from hub_config.service.handler import CourseHandler, TrainerHandler

UPLOAD_SECONDS = 300


class ExchangeHandler(CourseHandler):
    """A request about assignments and submissions."""

    surface: ClassVar[str] = "exchange"

    @property
    def releases(self) -> ReleaseStore:
        return ReleaseStore(self.services.database)

    @property
    def submissions(self) -> SubmissionStore:
        return SubmissionStore(self.services.database, self.services.state.submissions_dir)

    @property
    def queue(self) -> GradingQueue:
        return GradingQueue(self.services.database)

    @property
    def feedback(self) -> FeedbackStore:
        return FeedbackStore(self.services.state.feedback_dir)

    async def get_visible(self, number: str) -> Submission:
        """Return a submission that this person may see; another's is not found."""
        found = await self.run(self.submissions.get, UUID(number))
        if found.learner != self.member.name and self.member.role not in TEACHING:
            raise NotFound(f"There is no submission {number}.")
        return found

    def reply_with(self, submissions: Iterable[Submission]) -> None:
        self.reply(SubmissionList(submissions=tuple(each.status() for each in submissions)))


class AssignmentsHandler(ExchangeHandler):
    """`GET api/assignments`."""

    async def get(self) -> None:
        self.reply(await self.run(self._listed))

    def _listed(self) -> AssignmentList:
        course = read_course(self.services.settings.modules_dir)
        place = {slug: number for number, slug in enumerate(course.modules)}
        released = sorted(
            self.releases.released(), key=lambda release: place.get(release.assignment, len(place))
        )
        mine = self.submissions.of(self.member.name)
        extensions = DueDates(self.services.database).extensions()
        return AssignmentList(
            course=course.id,
            assignments=tuple(
                _assignment(release, mine, extensions.get((self.member.name, release.assignment)))
                for release in released
            ),
        )


@stream_request_body
class SubmissionsHandler(ExchangeHandler):
    """`POST api/assignments/{assignment}/submissions`, and for trainers `GET`.

    A body goes to disk as it comes. Nobody sends two at a time, so that uploads cannot fill the disk. What is
    refused is read to its end all the same: a sender that is cut off would not hear why.
    """

    _archive: BinaryIO | None = None
    _received_bytes = 0
    _refused: CourseError | OSError | None = None
    _uploader: str | None = None
    _is_cut_off = False
    _is_storing = False

    async def prepare(self) -> None:
        if self.request.method == "POST":
            connection = self.request.connection
            connection.set_max_body_size(2 * MAX_ARCHIVE_BYTES)  # type: ignore[union-attr]
            connection.set_body_timeout(UPLOAD_SECONDS)  # type: ignore[union-attr]
        await super().prepare()
        if self.request.method == "POST":
            try:
                await self._begin(self.path_args[0])
            except (CourseError, OSError) as error:
                self._refused = error

    async def _begin(self, assignment: str) -> None:
        await self.run(self.releases.get, assignment)
        if self._is_cut_off:
            return
        if self.member.name in self._uploading:
            raise Conflict("A submission of yours is being received.", "Wait until it is done.")
        self._uploader = self.member.name
        self._uploading.add(self._uploader)
        self._archive = self.submissions.open_upload()

    async def data_received(self, chunk: bytes) -> None:
        self._received_bytes += len(chunk)
        if self._received_bytes > MAX_ARCHIVE_BYTES:
            self._refused = TooLarge(
                f"The files weigh more than {MAX_BYTES // 2**20} MB.", "Remove large files or clear outputs."
            )
        if self._archive is not None and self._refused is None:
            try:
                await self.run(self._archive.write, chunk)
            except OSError as error:
                self._refused = error

    async def post(self, assignment: str) -> None:
        if self._refused is not None:
            raise self._refused
        assert self._archive is not None, "prepare has opened it"
        self._archive.seek(0)
        self._is_storing = True
        try:
            receipt = await self.run(
                self.submissions.receive,
                self.member.name,
                assignment,
                self._archive,
                datetime.now(UTC),
                self._key(),
            )
        finally:
            self._is_storing = False
            self._end()
        self.reply(receipt)

    def _key(self) -> UUID | None:
        text = self.request.headers.get(KEY_HEADER)
        try:
            return UUID(text) if text else None
        except ValueError as error:
            raise CourseError(f"{KEY_HEADER} is not a UUID.") from error

    async def get(self, assignment: str) -> None:
        if self.member.role not in TrainerHandler.roles:
            raise NotAllowed("Only trainers may do this.")
        every = self.get_query_argument("all", "") == "true"
        listed = self.submissions.every if every else self.submissions.newest
        self.reply_with(await self.run(listed, assignment))

    def on_finish(self) -> None:
        self._end()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._is_cut_off = True
        if not self._is_storing:
            self._end()

    def _end(self) -> None:
        if self._archive is not None:
            self._archive.close()
            self._archive = None
        if self._uploader is not None:
            self._uploading.discard(self._uploader)
            self._uploader = None

    @property
    def _uploading(self) -> set[str]:
        uploading: set[str] = self.application.settings.setdefault("uploading", set())
        return uploading


class SubmissionHandler(ExchangeHandler):
    """`GET api/submissions/{id}`."""

    async def get(self, number: str) -> None:
        self.reply(await self.run(self._status, await self.get_visible(number)))

    def _status(self, found: Submission) -> SubmissionStatus:
        return found.status().model_copy(update={"ahead": self.queue.ahead(found)})


class FeedbackHandler(ExchangeHandler):
    """`GET api/submissions/{id}/feedback`."""

    async def get(self, number: str) -> None:
        submission = await self.get_visible(number)
        self.reply(await self.run(self.feedback.get, submission.id))


class FeedbackPageHandler(ExchangeHandler):
    """`GET api/submissions/{id}/feedback/{notebook}.html`: a page that may do nothing at all."""

    signs_in = True
    content_security_policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"

    async def get(self, number: str, notebook: str) -> None:
        submission = await self.get_visible(number)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(await self.run(self.feedback.page, submission.id, notebook))


class ReleaseHandler(ExchangeHandler, TrainerHandler):
    """`POST api/assignments/{assignment}/release`: shows learners what lies generated in `release/`."""

    async def post(self, assignment: str) -> None:
        release = await self.run(self._release, assignment)
        self.reply(_assignment(release))

    def _release(self, assignment: str) -> Release:
        settings = self.services.settings
        return release_generated(
            settings.modules_dir,
            self.services.state,
            assignment,
            self.releases,
            Calendar(settings.cohort_start, settings.time_zone),
            now=datetime.now(UTC),
        )


class GradeHandler(ExchangeHandler, TrainerHandler):
    """`POST api/assignments/{assignment}/grade/{learner}`: queues the newest submission once more."""

    async def post(self, assignment: str, learner: str) -> None:
        newest = await self.run(self.submissions.find_newest, learner, assignment)
        if newest is None:
            raise NotFound(f"{learner} has submitted nothing for {assignment}.")
        await self.run(self.queue.grade_again, newest.id)
        self.reply((await self.run(self.submissions.get, newest.id)).status())


class ReleaseFeedbackHandler(ExchangeHandler, TrainerHandler):
    """`POST api/assignments/{assignment}/feedback[/{learner}]`: replies with the submissions it touched."""

    async def post(self, assignment: str, learner: str | None = None) -> None:
        self.reply_with(await self.run(self.queue.release_marks, assignment, learner))


def _assignment(
    release: Release, submissions: Iterable[Submission] = (), extended: datetime | None = None
) -> ReleasedAssignment:
    due_at = later(release.due_at, extended)
    return ReleasedAssignment(
        assignment=release.assignment,
        title=release.title,
        due_at=due_at,
        extended=due_at != release.due_at,
        notebooks=release.notebooks,
        submissions=tuple(each.status() for each in submissions if each.assignment == release.assignment),
    )


ASSIGNMENT = r"api/assignments/([a-z0-9-]+)"
SUBMISSION = r"api/submissions/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"

routes = (
    (r"api/assignments", AssignmentsHandler),
    (ASSIGNMENT + r"/submissions", SubmissionsHandler),
    (ASSIGNMENT + r"/release", ReleaseHandler),
    (ASSIGNMENT + r"/grade/([a-z0-9-]+)", GradeHandler),
    (ASSIGNMENT + r"/feedback(?:/([a-z0-9-]+))?", ReleaseFeedbackHandler),
    (SUBMISSION, SubmissionHandler),
    (SUBMISSION + r"/feedback", FeedbackHandler),
    (SUBMISSION + r"/feedback/([^/]+)\.html", FeedbackPageHandler),
)
