"""`python -m graders.worker --state-dir DIR`: grades what is handed in, one submission after the other.

The hub starts it as a managed service and ends it with SIGTERM. Grading itself happens in a child process:
whatever a submission does to it, killing it included, the worker goes on with the next one.
"""

from __future__ import annotations

import fcntl
import logging
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import uuid5

import click
import nbformat

from course.api import FeedbackDocument
from course.database import Database
from course.errors import Conflict, CourseError, NotFound
from course.events import Event, EventStore
from course.feedback import FeedbackStore
from course.grading import GradingQueue
from course.language import LANGUAGES, translator
from course.manifest import read_course
from course.quiz import QuizBank, QuizRecord
from course.roster import Roster
from course.state import StateFolder
from course.submissions import Submission, SubmissionStore
from graders.autograde import GradingCourse, GradingJob, autograde
from graders.child import POLL_SECONDS, Outcome, in_child
from graders.feedback import feedback_document
from graders.feedback_page import feedback_page

_log = logging.getLogger("spoc.worker")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one submission may take."""

    submission_seconds: int = 600
    execution: Mapping[str, int] = field(default_factory=dict)
    """Traits of `graders.preprocessors.SandboxedExecute`."""


class Grader:
    """Grades the submissions of one deployment."""

    def __init__(
        self, state: StateFolder, modules_dir: Path, language: str, limits: Limits | None = None
    ) -> None:
        self._state = state
        self._language = language
        self._limits = limits or Limits()
        self._course = GradingCourse(state.course_dir, read_course(modules_dir).id)
        self._database = Database(state.database_url)
        self._events = EventStore(self._database)
        self._record = QuizRecord(QuizBank(modules_dir), self._events)
        self._roster = Roster(self._database)
        self._store = SubmissionStore(self._database, state.submissions_dir)
        self._feedback = FeedbackStore(state.feedback_dir)
        self._queue = GradingQueue(self._database)
        self._stop = threading.Event()
        self._scratch_dir = state.root / "grading"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the right to grade: two autograders at once would undo each other's work.

        Raises:
            Conflict: Another process grades this deployment.
        """
        with (self._state.root / "worker.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Conflict("Another worker grades this course already.") from error
            shutil.rmtree(self._scratch_dir, ignore_errors=True)
            self._scratch_dir.mkdir(mode=0o700)
            taken_back = self._queue.take_back(datetime.now(UTC))
            if taken_back:
                _log.warning("grading %d submissions again that a worker left behind", taken_back)
            yield

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
        """Do one thing that waits to be done; return False if nothing waits. Only while `alone`."""
        claimed = self._queue.claim(datetime.now(UTC))
        if claimed is not None:
            self._grade(claimed)
            return True
        for submission in self._queue.feedback_due(datetime.now(UTC)):
            self._write_feedback_again(submission)
            return True
        return False

    def _grade(self, submission: Submission) -> None:
        _log.info("grading %s of %s (%s)", submission.assignment, submission.learner, submission.id)
        outcome = self._outcome(submission)
        _log.info("%s: %s %s", submission.id, outcome.kind, outcome.problem)
        translate = translator("exchange", self._language)
        if outcome.kind == "done" and outcome.document is not None:
            document = outcome.document
            self._queue.mark_graded(
                submission.id,
                points=document.points,
                max_points=document.max_points,
                feedback_at=document.graded_at,
            )
            self._events.record(_graded_event(submission, document))
        elif outcome.kind == "refused":
            self._queue.mark_failed(submission.id, outcome.problem)
        elif outcome.kind == "timeout":
            self._queue.mark_failed(
                submission.id,
                translate("Grading took longer than {seconds} seconds and was stopped.").format(
                    seconds=self._limits.submission_seconds
                ),
            )
        elif outcome.kind == "stopped":
            self._queue.give_back(submission.id)
        else:
            self._queue.put_back(submission.id, datetime.now(UTC))

    def _outcome(self, submission: Submission) -> Outcome:
        try:
            job = self._job(submission)
            with tempfile.TemporaryDirectory(dir=self._scratch_dir) as scratch:
                return in_child(
                    lambda: self._gradein_child(submission, job, Path(scratch)),
                    self._limits.submission_seconds,
                    self._stop,
                )
        # A full disk, a quiz that its author broke: no reason for the worker to die and try no other.
        except (OSError, CourseError) as error:
            _log.exception("grading could not begin")
            return Outcome("crashed", problem=str(error))

    def _job(self, submission: Submission) -> GradingJob:
        member = self._roster.find(submission.learner)
        try:
            points = self._record.points(
                submission.learner, submission.assignment, until=submission.received_at
            )
        except NotFound:
            points = 0.0
        return GradingJob(
            learner=submission.learner,
            display_name=member.display_name if member else submission.learner,
            assignment=submission.assignment,
            received_at=submission.received_at,
            files_dir=self._store.files_dir(submission.id),
            quiz_points=points,
            language=self._language,
        )

    def _gradein_child(self, submission: Submission, job: GradingJob, scratch: Path) -> FeedbackDocument:
        seen = autograde(self._course, job, scratch, self._limits.execution)
        for name, notebook in seen.items():
            self._feedback.keep(submission.id, f"{name}.ipynb", nbformat.writes(notebook))
        return self._publish(submission, seen)

    def _publish(self, submission: Submission, seen: Mapping[str, Any]) -> FeedbackDocument:
        document = feedback_document(
            self._course,
            submission.learner,
            submission.assignment,
            seen,
            submission=submission.id,
            marks_released=submission.marks_released,
            language=self._language,
            now=datetime.now(UTC),
        )
        pages = {name: feedback_page(seen[name], name, document, self._language) for name in seen}
        self._feedback.write(document, pages)
        return document

    def _write_feedback_again(self, submission: Submission) -> None:
        def publish() -> FeedbackDocument:
            kept = self._feedback.kept(submission.id, ".ipynb")
            return self._publish(submission, {path.stem: nbformat.read(path, as_version=4) for path in kept})

        outcome = in_child(publish, self._limits.submission_seconds, self._stop)
        if outcome.kind == "stopped":
            return
        if outcome.document is None:
            _log.error("feedback on %s could not be written again: %s", submission.id, outcome.problem)
            self._queue.put_off_feedback(submission.id, datetime.now(UTC))
            return
        self._queue.mark_feedback(
            submission,
            points=outcome.document.points,
            max_points=outcome.document.max_points,
            feedback_at=outcome.document.graded_at,
        )
        self._events.record(_graded_event(submission, outcome.document))


def _graded_event(submission: Submission, document: FeedbackDocument) -> Event:
    # One event per result, however often the worker is killed before it says so.
    name = f"graded {document.graded_at.isoformat()}"
    return Event(
        event_id=uuid5(submission.id, name),
        learner=submission.learner,
        kind="assignment.graded",
        occurred_at=document.graded_at,
        subject=submission.assignment,
        data={
            "submission": str(submission.id),
            "points": document.points,
            "max_points": document.max_points,
        },
    )


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
