"""Submissions are graded in order, each once, and tried again when the platform failed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from course.api import Receipt
from course.errors import Conflict
from course.grading import GAVE_UP, REPLACED, RETRY_SECONDS, GradingQueue
from course.submissions import SubmissionStore
from tests.unit.record.uploads import NOW

pytestmark = pytest.mark.quick


def test_submissions_are_claimed_in_the_order_of_arrival_and_once(
    queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    first, second = hand_in("ada"), hand_in("bob")
    claimed = [queue.claim(NOW), queue.claim(NOW), queue.claim(NOW)]
    assert [found and found.id for found in claimed] == [first.submission, second.submission, None]


def test_a_learner_is_told_how_many_submissions_are_graded_before_theirs(
    store: SubmissionStore, queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    hand_in("ada")
    first, second, third = hand_in("ada"), hand_in("bob"), hand_in("cy")
    waiting = [store.get(each.submission) for each in (first, second, third)]
    assert [queue.ahead(each) for each in waiting] == [0, 1, 2], "what a newer one replaces is not graded"
    queue.claim(NOW)
    assert [queue.ahead(store.get(each.id)) for each in waiting] == [None, 0, 1]


def test_many_submissions_of_one_learner_do_not_hold_up_those_of_others(
    store: SubmissionStore, queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    eager = [hand_in("ada", f"module-{number}") for number in range(4)]
    later = [hand_in("bob"), hand_in("cy")]
    order = [eager[0], *later, *eager[1:]]
    waiting = [store.get(each.submission) for each in order]
    assert [queue.ahead(each) for each in waiting] == [0, 1, 2, 3, 4, 5]
    for receipt in order:
        claimed = queue.claim(NOW)
        assert claimed is not None
        assert claimed.id == receipt.submission
        queue.mark_graded(claimed.id, points=1, max_points=1, feedback_at=NOW)


def test_a_submission_replaced_while_it_waited_is_not_graded(
    store: SubmissionStore, queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    old, new = hand_in(), hand_in()
    claimed = queue.claim(NOW)
    assert claimed is not None
    assert claimed.id == new.submission
    assert (store.get(old.submission).state, store.get(old.submission).problem) == ("failed", REPLACED)


def test_two_submissions_of_one_learner_are_never_graded_at_once(
    queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    first = hand_in()
    assert queue.claim(NOW) is not None
    second = hand_in()
    assert queue.claim(NOW) is None
    queue.mark_graded(first.submission, points=1, max_points=2, feedback_at=NOW)
    claimed = queue.claim(NOW)
    assert claimed is not None
    assert claimed.id == second.submission


@pytest.mark.parametrize("worker", ["dies", "lives"])
def test_what_the_platform_failed_is_tried_again_ever_later_but_not_for_ever(
    store: SubmissionStore, queue: GradingQueue, hand_in: Callable[..., Receipt], worker: str
) -> None:
    receipt, now = hand_in(), NOW

    def fail() -> None:
        claimed = queue.claim(now)
        assert claimed is not None
        assert claimed.id == receipt.submission
        if worker == "dies":
            assert queue.take_back(now) == 1
        else:
            queue.put_back(receipt.submission, now)

    for seconds in RETRY_SECONDS:
        fail()
        assert queue.claim(now + timedelta(seconds=seconds - 0.1)) is None
        assert not queue.is_empty()
        now += timedelta(seconds=seconds)
    fail()
    failed = store.get(receipt.submission)
    assert (failed.state, failed.problem) == ("failed", GAVE_UP)
    assert queue.is_empty()
    queue.grade_again(receipt.submission)
    assert queue.claim(now) is not None


def test_others_are_graded_while_one_waits_for_its_next_try(
    queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    first, second = hand_in("ada"), hand_in("bob")
    assert queue.claim(NOW) is not None
    queue.put_back(first.submission, NOW)
    claimed = queue.claim(NOW)
    assert claimed is not None
    assert claimed.id == second.submission


def test_what_cannot_be_begun_yet_lets_others_pass_and_uses_up_no_try(
    store: SubmissionStore, queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    first, second = hand_in("ada"), hand_in("bob")
    assert queue.claim(NOW) is not None
    queue.give_back(first.submission, not_before=NOW + timedelta(seconds=1))
    claimed = queue.claim(NOW)
    assert claimed is not None
    assert claimed.id == second.submission
    assert queue.claim(NOW) is None
    assert queue.claim(NOW + timedelta(seconds=1)) is not None
    assert store.get(first.submission).claims == 1


def test_a_worker_that_is_told_to_stop_uses_up_no_try(
    store: SubmissionStore, queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    receipt = hand_in()
    assert queue.claim(NOW) is not None
    queue.give_back(receipt.submission)
    assert store.get(receipt.submission).claims == 0
    assert queue.claim(NOW) is not None


def test_only_a_claimed_submission_gets_a_result(
    queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    with pytest.raises(Conflict):
        queue.mark_failed(hand_in().submission, "no")


def test_what_two_trainers_ask_for_at_once_is_done_once(
    queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    receipt = hand_in()
    assert queue.claim(NOW) is not None
    queue.mark_graded(receipt.submission, points=1, max_points=2, feedback_at=NOW)
    with ThreadPoolExecutor(4) as trainers:
        list(trainers.map(queue.grade_again, [receipt.submission] * 4))
    claimed = [queue.claim(NOW), queue.claim(NOW)]
    assert [found and found.id for found in claimed] == [receipt.submission, None]
    queue.mark_graded(receipt.submission, points=1, max_points=2, feedback_at=NOW)
    with ThreadPoolExecutor(4) as trainers:
        assert all(trainers.map(queue.release_marks, ["tables"] * 4))
    (due,) = queue.feedback_due(NOW)
    queue.mark_feedback(due, points=1, max_points=2, feedback_at=NOW)
    assert queue.feedback_due(NOW) == ()
