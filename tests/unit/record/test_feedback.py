"""Feedback is written again when marks are released, and known only with its document."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from course.api import FeedbackDocument, Receipt
from course.errors import NotFound
from course.feedback import FeedbackStore
from course.grading import RETRY_SECONDS, GradingQueue
from course.submissions import SubmissionStore
from tests.unit.record.uploads import NOW

pytestmark = pytest.mark.quick


def test_released_marks_ask_for_new_feedback_on_the_newest_graded(
    store: SubmissionStore, queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    receipt = hand_in()
    queue.claim(NOW)
    assert queue.release_marks("tables") == (), "it is not graded yet"
    queue.mark_graded(receipt.submission, points=1, max_points=2, feedback_at=NOW)
    assert queue.release_marks("tables", "bob") == ()
    (released,) = queue.release_marks("tables")
    assert (released.id, released.marks_released) == (receipt.submission, True)
    (due,) = queue.feedback_due(NOW)
    assert due == released
    queue.mark_feedback(due, points=2, max_points=2, feedback_at=NOW)
    assert queue.feedback_due(NOW) == ()
    assert store.get(receipt.submission).points == 2


def test_marks_released_while_feedback_is_written_are_written_too(
    queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    receipt = hand_in()
    queue.claim(NOW)
    queue.mark_graded(receipt.submission, points=1, max_points=2, feedback_at=NOW)
    queue.release_marks("tables")
    (being_written,) = queue.feedback_due(NOW)
    queue.release_marks("tables")
    queue.mark_feedback(being_written, points=2, max_points=2, feedback_at=NOW)
    (due,) = queue.feedback_due(NOW)
    queue.mark_feedback(due, points=2, max_points=2, feedback_at=NOW)
    assert queue.feedback_due(NOW) == ()


@pytest.mark.parametrize("state", ["received", "failed"])
def test_a_newer_submission_that_is_not_graded_keeps_no_marks_back(
    queue: GradingQueue, hand_in: Callable[..., Receipt], state: str
) -> None:
    good = hand_in()
    queue.claim(NOW)
    queue.mark_graded(good.submission, points=1, max_points=2, feedback_at=NOW)
    broken = hand_in()
    if state == "failed":
        queue.claim(NOW)
        queue.mark_failed(broken.submission, "exercises.ipynb is not a notebook.")
    assert [found.id for found in queue.release_marks("tables", "ada")] == [good.submission]


def test_feedback_that_could_not_be_written_stays_due(
    queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    receipt = hand_in()
    queue.claim(NOW)
    queue.mark_graded(receipt.submission, points=1, max_points=2, feedback_at=NOW)
    queue.release_marks("tables")
    queue.put_off_feedback(receipt.submission, NOW)
    assert queue.feedback_due(NOW) == ()
    assert len(queue.feedback_due(NOW + timedelta(seconds=RETRY_SECONDS[-1]))) == 1
    queue.release_marks("tables")
    assert len(queue.feedback_due(NOW)) == 1, "asked again, it is tried at once"


def feedback_on(receipt: Receipt) -> FeedbackDocument:
    return FeedbackDocument(
        submission=receipt.submission,
        assignment="tables",
        graded_at=NOW,
        points=1,
        max_points=2,
        complete=True,
        cells=(),
        notebooks=("exercises",),
    )


def test_feedback_and_the_names_of_its_files_are_on_the_disk_when_it_is_called_written(
    tmp_path: Path, hand_in: Callable[..., Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = hand_in()
    folder = tmp_path / "feedback" / str(receipt.submission)
    durable: list[Path] = []
    fsync = os.fsync

    def told(descriptor: int) -> None:
        durable.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", told)
    FeedbackStore(tmp_path / "feedback").write(feedback_on(receipt), {"exercises": "<p>Good</p>"})
    assert [path.name.split(".")[1] for path in durable if path.parent == folder] == ["exercises", "feedback"]
    assert (durable[0], durable[-1]) == (folder.parent, folder)


def test_feedback_that_could_not_be_written_leaves_the_earlier_one(
    tmp_path: Path, hand_in: Callable[..., Receipt]
) -> None:
    store, receipt = FeedbackStore(tmp_path / "feedback"), hand_in()
    store.write(feedback_on(receipt), {"exercises": "<p>Good</p>"})
    with pytest.raises(UnicodeEncodeError):
        store.write(feedback_on(receipt), {"exercises": "\udc80"})
    assert store.page(receipt.submission, "exercises") == "<p>Good</p>"
    left = {path.name for path in (tmp_path / "feedback" / str(receipt.submission)).iterdir()}
    assert left == {"exercises.html", "feedback.json"}


def test_feedback_is_known_only_with_its_document(tmp_path: Path, hand_in: Callable[..., Receipt]) -> None:
    store = FeedbackStore(tmp_path / "feedback")
    receipt = hand_in()
    with pytest.raises(NotFound):
        store.page(receipt.submission, "exercises")
    document = feedback_on(receipt)
    store.write(document, {"exercises": "<p>Good</p>"})
    assert store.get(receipt.submission) == document
    assert store.page(receipt.submission, "exercises") == "<p>Good</p>"
    with pytest.raises(NotFound):
        store.page(receipt.submission, "../../secret")
