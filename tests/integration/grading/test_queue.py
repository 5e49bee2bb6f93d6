"""What cannot be graded now waits, and keeps nobody else waiting."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from course.database import Database
from course.due_dates import DueDates
from course.grading import GradingQueue
from course.releases import ReleaseStore, released_assignment
from course.submissions import Submission
from graders.course_work import CourseWork
from graders.engine.results import GradedSubmission
from graders.tasks import Grade
from graders.worker import Grader
from tests.handing_in import MODULE, Deployment
from tests.integration.grading.worker import graded

LOCKING = """
import signal
import sys
from pathlib import Path
from graders.engine.locks import SubmissionLocks
with SubmissionLocks(Path(sys.argv[1])) as locks:
    print(locks.take(*sys.argv[2:]), flush=True)
    signal.pause()
"""


def test_what_another_process_works_on_keeps_nobody_else_waiting(
    deployment: Deployment, grader: Grader
) -> None:
    command = [sys.executable, "-c", LOCKING, str(deployment.state.course_dir), MODULE, "ada"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        locked = deployment.hand_in("ada", deployment.source_dir)
        assert graded(deployment, grader, "ben", deployment.release_dir).state == "graded"
        now = deployment.now(locked)
        assert (now.state, now.claims) == ("received", 0)
        other.kill()
    grader.work_off()
    assert deployment.now(locked).state == "graded"


def test_what_is_to_be_graded_again_while_its_feedback_is_written_gets_both(
    deployment: Deployment, grader: Grader, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = graded(deployment, grader, "cleo", deployment.source_dir)
    feedback_due = GradingQueue.feedback_due

    def due_and_asked_for(queue: GradingQueue, now: datetime) -> tuple[Submission, ...]:
        found = feedback_due(queue, now)
        for each in found:
            queue.grade_again(each.id)
        return found

    monkeypatch.setattr(GradingQueue, "feedback_due", due_and_asked_for)
    with closing(Database(deployment.state.database_url)) as database:
        GradingQueue(database).release_marks(MODULE, "cleo")
        grader.work_off()
        assert not GradingQueue(database).feedback_due(datetime.now(UTC))
    after = deployment.now(submission)
    assert (after.state, after.claims, after.points) == ("graded", 1, submission.points)
    assert after.feedback_at == deployment.feedback(submission).graded_at


def test_a_fault_of_the_platform_is_not_blamed_on_the_learner_and_is_tried_again(
    deployment: Deployment, grader: Grader
) -> None:
    # What is on its way into the course directory has no place to be.
    place = deployment.state.course_dir / ".grading"
    aside = place.rename(place.with_name("aside"))
    place.touch()
    submission = deployment.hand_in("eve", deployment.source_dir)
    assert grader.work()
    waiting = deployment.now(submission)
    assert (waiting.state, waiting.claims, waiting.problem) == ("received", 1, "")
    other = deployment.hand_in("ben", deployment.release_dir)
    assert grader.work(), "others go on meanwhile"
    assert deployment.now(other).claims >= 1
    place.unlink()
    aside.rename(place)
    grader.work_off()
    assert deployment.now(other).state == "graded"
    graded_after_all = deployment.now(submission)
    assert (graded_after_all.state, graded_after_all.points) == ("graded", 17)


@pytest.fixture
def due_at(deployment: Deployment) -> Iterator[datetime]:
    """When `MODULE` is due, for one test."""
    day = datetime(2026, 1, 1, tzinfo=UTC)
    with closing(Database(deployment.state.database_url)) as database:
        for each in (day, None):
            with database.write() as connection:
                connection.execute(released_assignment.update().values(due_at=each))
            if each is not None:
                yield each


def test_more_time_that_is_given_while_work_is_graded_counts(
    deployment: Deployment, grader: Grader, due_at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = datetime(2027, 1, 1, tzinfo=UTC)
    mark_graded, due = GradingQueue.mark_graded, list[datetime | None]()

    def mark_and_extend(queue: GradingQueue, number: UUID, **of: Any) -> None:
        if len(due) == 1:
            with closing(Database(deployment.state.database_url)) as database:
                release = ReleaseStore(database).get(MODULE)
                DueDates(database).extend("dan", release, longer, datetime.now(UTC))
        mark_graded(queue, number, **of)

    def graded_by(work: CourseWork, task: Grade, result: GradedSubmission) -> str:
        due.append(task.content.due_at)
        return record(work, task, result)

    record = CourseWork.record
    monkeypatch.setattr(CourseWork, "record", graded_by)
    monkeypatch.setattr(GradingQueue, "mark_graded", mark_and_extend)
    submission = deployment.hand_in("dan", deployment.source_dir)
    grader.work_off()
    assert deployment.now(submission).state == "graded"
    assert due == [due_at, longer]
