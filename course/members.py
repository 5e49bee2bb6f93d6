"""What the database keeps of a member, and who of them is one at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Integer,
    Row,
    Select,
    String,
    Table,
    and_,
    or_,
    select,
)

from course.database import UtcDateTime, metadata
from course.roster_file import ROLES, Role

TEACHING: frozenset[Role] = frozenset({"trainer", "admin"})
"""Who sees every learner's work."""

SPONSORING: frozenset[Role] = frozenset({"sponsor"})
"""Who sees figures of the group, takes no part, and has no server."""

MEMBER = Table(
    "member",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(31), nullable=False, unique=True),
    Column("display_name", String(80), nullable=False),
    Column("email", String(254), nullable=False),
    Column("role", String(8), CheckConstraint(f"role IN {ROLES}", name="ck_member_role"), nullable=False),
    Column("removed_at", UtcDateTime),
    # A moment, not a day: whoever asks whether somebody is still in needs no time zone.
    Column("ends_at", UtcDateTime),
    Column("password_hash", String(200)),
    # Counts what must end every session: a new password, another role, a removal.
    Column("session_epoch", Integer, nullable=False, default=0),
    Column("last_seen_at", UtcDateTime),
    Column("invitation_sha256", String(64), unique=True),
    Column("invitation_expires_at", UtcDateTime),
    Column("invitation_used_at", UtcDateTime),
    # An id becomes a uid: SQLite must not hand out that of a deleted row again.
    sqlite_autoincrement=True,
)

NO_INVITATION: Mapping[str, None] = {
    "invitation_sha256": None,
    "invitation_expires_at": None,
    "invitation_used_at": None,
}
NO_CREDENTIALS: Mapping[str, None] = {"password_hash": None, **NO_INVITATION}


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the cohort.

    Attributes:
        id: Stable, never reused.
        name: User name, `[a-z][a-z0-9-]{0,30}`; never given to another person.
        display_name: As the person writes it; hostile text for every page.
        email: May be empty.
        role: What the person may do.
        ends_at: When a guest's membership ends; None for who stays.
    """

    id: int
    name: str
    display_name: str
    email: str
    role: Role
    ends_at: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether a guest's last day has passed."""
        return self.ends_at is not None and self.ends_at <= now


def is_present(now: datetime) -> ColumnElement[bool]:
    """Return the condition on `MEMBER` that somebody is a member at `now`."""
    return and_(MEMBER.c.removed_at.is_(None), or_(MEMBER.c.ends_at.is_(None), MEMBER.c.ends_at > now))


def present_members(now: datetime | None = None) -> Select[Any]:
    """Return the rows of the present members, as of `now` or of this moment."""
    return select(MEMBER).where(is_present(now or datetime.now(UTC)))


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the first moment after `day` in `zone`, in UTC."""
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def last_day(ends_at: datetime, zone: tzinfo) -> date:
    """Return the day in `zone` that ends at `ends_at`, or in which it lies."""
    return (ends_at - timedelta(microseconds=1)).astimezone(zone).date()


def member_of(row: Row[Any]) -> Member:
    """Return the member that a row of `MEMBER` describes."""
    return Member(row.id, row.name, row.display_name, row.email, row.role, row.ends_at)
