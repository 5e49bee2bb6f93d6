"""`python -m graders.worker --state-dir DIR`: grades what is handed in, as many at a time as there are CPUs.

The hub starts it as a managed service and ends it with SIGTERM. Grading itself happens in other processes:
whatever a submission does to one, killing it included, the worker goes on with the next.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from uuid import UUID

import click
from sqlalchemy.exc import SQLAlchemyError

from course.api import FeedbackDocument
from course.database import Database
from course.due_dates import DueDates
from course.errors import Conflict, CourseError
from course.events import EventStore
from course.feedback import FeedbackStore
from course.grading import GradingQueue
from course.language import LANGUAGES, translator
from course.manifest import read_course
from course.quiz import QuizBank, QuizRecord
from course.roster import Roster
from course.state import StateFolder
from course.submissions import Submission, SubmissionStore
from graders.course_work import CourseWork, Learners
from graders.engine.pool import Done, Pool
from graders.engine.results import GradedSubmission
from graders.execution.results import RunLimits
from graders.execution.status import InfrastructureFault
from graders.graded_event import graded_event
from graders.grading_course import GradingCourse
from graders.tasks import Desk, Grade, Outcome, Publish, Task

POLL_SECONDS = 0.25
BUSY_SECONDS = 1
"""After so long it is looked again whether what another process works on can be graded."""
_log = logging.getLogger("spoc.worker")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one submission may take, and each of its notebooks."""

    submission_seconds: int = 600
    run: RunLimits | None = None
    """None for the engine's own."""
    jobs: int = 0
    """Submissions at a time; as many as there are CPUs if 0."""


class Grader:
    """Grades the submissions of one deployment."""

    def __init__(
        self, state: StateFolder, modules_dir: Path, language: str, limits: Limits | None = None
    ) -> None:
        self._state = state
        self._language = language
        self._limits = limits or Limits()
        self._database = Database(state.database_url)
        self._events = EventStore(self._database)
        self._queue = GradingQueue(self._database)
        self._due_dates = DueDates(self._database)
        course = GradingCourse(state.course_dir, read_course(modules_dir).id)
        learners = Learners(
            Roster(self._database),
            QuizRecord(QuizBank(modules_dir), self._events),
            SubmissionStore(self._database, state.submissions_dir),
            self._due_dates,
            language,
        )
        self._work = CourseWork(course, learners, self._limits.run)
        desk = Desk(course, FeedbackStore(state.feedback_dir), language)
        size = self._limits.jobs or len(os.sched_getaffinity(0))
        # What ends a process is tried again by the queue, later and not for ever.
        self._pool = Pool[Task, Outcome](desk.do, size, self._limits.submission_seconds, lives=1)
        self._claimed: dict[UUID, Submission] = {}
        self._writing_again: set[UUID] = set()
        self._stop = threading.Event()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the right to grade: two graders at once would do everything twice.

        Raises:
            Conflict: Another process grades this deployment.
        """
        with (self._state.root / "worker.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Conflict("Another worker grades this course already.") from error
            taken_back = self._queue.take_back(datetime.now(UTC))
            if taken_back:
                _log.warning("grading %d submissions again that a worker left behind", taken_back)
            with self._work:
                self._work.warm_up()
                try:
                    with self._pool:
                        yield
                finally:
                    # Being told to stop is no failure of what was on its way.
                    for claimed in self._claimed:
                        self._queue.give_back(claimed)
                    self._claimed.clear()
                    self._writing_again.clear()

    def run(self) -> None:
        """Work until `stop`; only while `alone`."""
        while not self._stop.is_set():
            if not self.work():
                self._stop.wait(POLL_SECONDS)

    def work_off(self) -> None:
        """Work until nothing waits, or `stop`; only while `alone`."""
        while not self._stop.is_set() and (self.work() or not self._queue.is_empty()):
            self._stop.wait(POLL_SECONDS)

    def stop(self) -> None:
        """Make `run` return soon; what is being graded waits for the next worker."""
        self._stop.set()

    def close(self) -> None:
        self._database.close()

    def work(self) -> bool:
        """Work until one thing that waits is finished; return False if nothing waits. Only while `alone`."""
        is_finished = False
        while not is_finished and not self._stop.is_set():
            is_finished = not self._begin()
            if self._pool.is_idle:
                return is_finished
            for done in self._pool.done(POLL_SECONDS):
                is_finished = self._end(done) or is_finished
        return is_finished

    def _begin(self) -> bool:
        """Hand out what waits while there is room; return False if something could not be begun."""
        is_well = True
        while self._pool.has_room and (submission := self._queue.claim(datetime.now(UTC))) is not None:
            self._claimed[submission.id] = submission
            if submission.id in self._writing_again:
                self._give_back(submission, "its feedback is being written")
                continue
            try:
                task = self._work.prepare(submission)
            # A full disk, a quiz that its author broke, a locked gradebook: no reason to try no other.
            except (OSError, CourseError, SQLAlchemyError, InfrastructureFault):
                _log.exception("%s: grading could not begin", submission.id)
                self._put_back(submission)
                is_well = False
                continue
            if task is None:
                self._give_back(submission, "another process grades it")
                continue
            _log.info("grading %s of %s (%s)", submission.assignment, submission.learner, submission.id)
            self._pool.put(task)
        for submission in self._queue.feedback_due(datetime.now(UTC)):
            if self._pool.has_room and submission.id not in self._writing_again:
                self._writing_again.add(submission.id)
                self._pool.put(Publish(submission))
        if self._pool.is_idle:
            self._work.rest()
        return is_well

    def _end(self, done: Done[Task, Outcome]) -> bool:
        """Go on with what came of a task; return whether its submission is finished."""
        submission = done.task.submission
        if isinstance(done.task, Grade):
            return self._end_grading(done.task, done)
        document = done.result if isinstance(done.result, FeedbackDocument) else None
        if done.task.seen is None:
            self._writing_again.remove(submission.id)
            self._mark_feedback(submission, document, done.problem)
        elif document is not None:
            self._mark_graded(submission, document)
            if self._due_dates.due_at(submission.learner, submission.assignment) != done.task.due_at:
                # A trainer gave more time, or less, while it was graded.
                self._queue.grade_again(submission.id)
        elif done.kind == "late":
            self._mark_late(submission)
        else:
            _log.error("%s: no feedback: %s", submission.id, done.problem)
            self._put_back(submission)
        return True

    def _end_grading(self, task: Grade, done: Done[Task, Outcome]) -> bool:
        submission, result = task.submission, done.result
        if done.kind == "late":
            self._mark_late(submission)
        elif not isinstance(result, GradedSubmission) or result.fault:
            _log.error("%s: %s", submission.id, done.problem or getattr(result, "fault", ""))
            self._put_back(submission)
        elif result.problem:
            self._mark_failed(submission, result.problem)
        elif problem := self._work.record(task, result):
            _log.error("%s: %s", submission.id, problem)
            self._put_back(submission)
        else:
            seen = {notebook.name: notebook.seen for notebook in result.notebooks}
            self._pool.put(Publish(submission, seen, task.content.due_at))
            return False
        return True

    def _mark_graded(self, submission: Submission, document: FeedbackDocument) -> None:
        self._queue.mark_graded(
            submission.id,
            points=document.points,
            max_points=document.max_points,
            feedback_at=document.graded_at,
        )
        self._events.record(graded_event(submission, document))
        self._let_go(submission, "graded")

    def _mark_feedback(self, submission: Submission, document: FeedbackDocument | None, problem: str) -> None:
        if document is None:
            _log.error("feedback on %s could not be written again: %s", submission.id, problem)
            self._queue.put_off_feedback(submission.id, datetime.now(UTC))
            return
        self._queue.mark_feedback(
            submission,
            points=document.points,
            max_points=document.max_points,
            feedback_at=document.graded_at,
        )
        self._events.record(graded_event(submission, document))

    def _mark_late(self, submission: Submission) -> None:
        translate = translator("exchange", self._language)
        told = translate("Grading took longer than {seconds} seconds and was stopped.")
        self._mark_failed(submission, told.format(seconds=self._limits.submission_seconds))

    def _mark_failed(self, submission: Submission, problem: str) -> None:
        self._queue.mark_failed(submission.id, problem)
        self._let_go(submission, f"failed: {problem}")

    def _put_back(self, submission: Submission) -> None:
        self._queue.put_back(submission.id, datetime.now(UTC))
        self._let_go(submission, "to be tried again")

    def _give_back(self, submission: Submission, reason: str) -> None:
        later = datetime.now(UTC) + timedelta(seconds=BUSY_SECONDS)
        self._queue.give_back(submission.id, not_before=later)
        self._let_go(submission, reason)

    def _let_go(self, submission: Submission, outcome: str) -> None:
        del self._claimed[submission.id]
        self._work.release(submission)
        _log.info("%s: %s", submission.id, outcome)


@click.command()
@click.option(
    "--state-dir", required=True, type=click.Path(file_okay=False, path_type=Path), help="State folder."
)
@click.option(
    "--modules-dir",
    required=True,
    envvar="SPOC_MODULES_DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder with course.yaml.",
)
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", envvar="SPOC_LANGUAGE", help="Of feedback."
)
def main(state_dir: Path, modules_dir: Path, language: str) -> None:
    """Grade submissions until SIGTERM."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s worker %(levelname)s %(message)s")
    _log.setLevel(logging.INFO)
    grader = Grader(StateFolder(state_dir.resolve()), modules_dir.resolve(), language)

    def end(_number: int, _frame: FrameType | None) -> None:
        grader.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        with grader.alone():
            grader.run()
    except Conflict as error:
        raise click.ClickException(str(error)) from error
    finally:
        grader.close()


if __name__ == "__main__":
    main()
