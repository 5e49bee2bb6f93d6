"""The queue of submissions to grade, kept in the submissions' rows.

    received ── claim ──► grading ──► graded
        ▲                  │   └────► failed
        └── put_back ──────┘   (infrastructure failed: again after each of RETRY_SECONDS)

While one waits for its next try, others are graded. A trainer's `grade_again` leads from graded or failed
back to received.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, case, func, select, update

from course.database import Database
from course.errors import Conflict
from course.submissions import Submission, newest_numbers, submission, submission_of

RETRY_SECONDS = (1, 30, 300)
"""How long a submission waits after its first, second … try that the platform failed."""

REPLACED = "A newer submission arrived before its turn came."
GAVE_UP = "The course platform failed to grade this, several times; your work is not the reason. It is kept, "
GAVE_UP += "and your trainer can have it graded again."

TURN_SPAN = 500
"""So many submissions back it counts who had a turn."""

_c = submission.c


class GradingQueue:
    """What is to be graded, and what came of it; safe for many threads and processes at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, now: datetime) -> Submission | None:
        """Take the submission whose turn it is, and set it to grading; None when none may be graded now.

        That is the one that waits longest of those whose learners had the fewest turns lately: many
        submissions of one learner do not hold up those of others.

        Older ones of the same learner and assignment fail as replaced. Nobody grades two of one learner and
        assignment at once.
        """
        with self._database.write() as connection:
            older = ~_is_newest() & (_c.state == "received")
            _change(connection, older, state="failed", problem=REPLACED)
            busy = submission.alias()
            is_busy = (
                select(busy.c.number)
                .where(
                    busy.c.state == "grading",
                    busy.c.learner == _c.learner,
                    busy.c.assignment == _c.assignment,
                )
                .exists()
            )
            query = (
                select(submission)
                .where(_c.state == "received", _is_time(now), ~is_busy)
                .order_by(_turn(), _c.number)
                .limit(1)
            )
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            _change(connection, _c.number == row.number, state="grading", claims=row.claims + 1, problem="")
            claimed = connection.execute(select(submission).where(_c.number == row.number)).one()
        return submission_of(claimed)

    def is_empty(self) -> bool:
        """Return whether no submission waits to be graded, be it for its next try."""
        with self._database.read() as connection:
            query = select(_c.number).where(_c.state == "received").limit(1)
            return connection.execute(query).one_or_none() is None

    def ahead(self, waiting: Submission) -> int | None:
        """Return how many submissions are graded before `waiting`; None if its turn has come."""
        if waiting.state != "received":
            return None
        with self._database.read() as connection:
            turn, number = connection.execute(
                select(_turn(), _c.number).where(_c.id == str(waiting.id))
            ).one()
            sooner = (_turn() < turn) | ((_turn() == turn) & (_c.number < number))
            query = select(func.count()).where(_is_newest(), _c.state == "received", sooner)
            return connection.execute(query).scalar_one()

    def take_back(self, now: datetime) -> int:
        """Put back what a worker that died was grading, for one that starts alone; return how many."""
        with self._database.write() as connection:
            rows = connection.execute(select(submission).where(_c.state == "grading")).all()
            for row in rows:
                _try_again(connection, row, now)
        return len(rows)

    def put_back(self, number: UUID, now: datetime) -> None:
        """Return a submission to the queue that the platform failed to grade; after its last try it fails.

        A submission whose tries are used up may be what kills the workers.
        """
        with self._database.write() as connection:
            query = select(submission).where(_c.id == str(number), _c.state == "grading")
            row = connection.execute(query).one_or_none()
            if row is None:
                raise Conflict(f"Submission {number} is not being graded.")
            _try_again(connection, row, now)

    def give_back(self, number: UUID, not_before: datetime | None = None) -> None:
        """Return a submission to the queue that was not begun, or whose worker was told to stop: no try."""
        self._finish(number, state="received", claims=_c.claims - 1, not_before=not_before)

    def mark_graded(self, number: UUID, *, points: float, max_points: float, feedback_at: datetime) -> None:
        """Record the result of grading; `points` counts what is marked so far."""
        self._finish(
            number, state="graded", problem="", points=points, max_points=max_points, feedback_at=feedback_at
        )

    def mark_failed(self, number: UUID, problem: str) -> None:
        """Record that this submission cannot be graded; `problem` tells its learner why."""
        self._finish(number, state="failed", problem=problem)

    def _finish(self, number: UUID, **values: Any) -> None:
        with self._database.write() as connection:
            if not _change(connection, (_c.id == str(number)) & (_c.state == "grading"), **values):
                raise Conflict(f"Submission {number} is not being graded.")

    def grade_again(self, number: UUID) -> None:
        """Put a submission into the queue once more; one that is being graded stays as it is."""
        with self._database.write() as connection:
            _change(
                connection,
                (_c.id == str(number)) & (_c.state != "grading"),
                state="received",
                claims=0,
                not_before=None,
                problem="",
            )

    def release_marks(self, assignment: str, learner: str | None = None) -> tuple[Submission, ...]:
        """Let learners see marks and comments given by hand on what was graded last; return these.

        A newer submission that waits, or failed, does not take the marks of a graded one away.
        """
        chosen = _c.number.in_(newest_numbers("graded")) & (_c.assignment == assignment)
        if learner is not None:
            chosen &= _c.learner == learner
        with self._database.write() as connection:
            query = select(submission).where(chosen).order_by(_c.number.desc())
            numbers = [row.number for row in connection.execute(query)]
            released = _c.number.in_(numbers)
            _change(
                connection, released, marks_released=True, feedback_due=_c.feedback_due + 1, not_before=None
            )
            rows = connection.execute(query)
            return tuple(map(submission_of, rows))

    def feedback_due(self, now: datetime) -> tuple[Submission, ...]:
        """Return the graded submissions whose feedback is to be written again."""
        due = (_c.feedback_due > 0) & (_c.state == "graded") & _is_time(now)
        with self._database.read() as connection:
            return tuple(map(submission_of, connection.execute(select(submission).where(due))))

    def put_off_feedback(self, number: UUID, now: datetime) -> None:
        """Leave the feedback of a submission as it is for a while: it could not be written."""
        later = now + timedelta(seconds=RETRY_SECONDS[-1])
        with self._database.write() as connection:
            _change(connection, _c.id == str(number), not_before=later)

    def mark_feedback(
        self, written: Submission, *, points: float, max_points: float, feedback_at: datetime
    ) -> None:
        """Record that feedback was written again on `written`, as `feedback_due` returned it.

        If it was asked for once more meanwhile, it is still due: the marks may be others by now.
        """
        asked_again = case((_c.feedback_due == written.feedback_due, 0), else_=_c.feedback_due)
        with self._database.write() as connection:
            _change(
                connection,
                _c.id == str(written.id),
                points=points,
                max_points=max_points,
                feedback_at=feedback_at,
                feedback_due=asked_again,
            )


def _is_newest() -> Any:
    return _c.number.in_(newest_numbers())


def _turn() -> Any:
    """Return how many submissions of the same learner's are or were graded before this one, lately."""
    before = submission.alias()
    counts = before.c.number.in_(newest_numbers()) | before.c.state.in_(("grading", "graded"))
    failed = (before.c.state == "failed") & (before.c.problem != REPLACED)
    return (
        select(func.count())
        .where(
            before.c.learner == _c.learner,
            before.c.number.between(_c.number - TURN_SPAN, _c.number - 1),
            counts | failed,
        )
        .scalar_subquery()
    )


def _change(connection: Connection, where: Any, **values: Any) -> int:
    return connection.execute(update(submission).where(where).values(**values)).rowcount


def _is_time(now: datetime) -> Any:
    return _c.not_before.is_(None) | (_c.not_before <= now)


def _try_again(connection: Connection, row: Row[Any], now: datetime) -> None:
    if row.claims > len(RETRY_SECONDS):
        _change(connection, _c.number == row.number, state="failed", problem=GAVE_UP)
        return
    later = now + timedelta(seconds=RETRY_SECONDS[row.claims - 1])
    _change(connection, _c.number == row.number, state="received", not_before=later)
