"""What signing in needs to know of a member, and what makes a good password."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, select, update

from course.database import Database
from course.members import MEMBER, Member, member_of, present_members

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 256

PasswordProblem = Literal["too short", "too long", "is your name", "not repeated", "too plain"]


@dataclass(frozen=True, slots=True)
class Account:
    """A member as the sign-in sees one.

    Attributes:
        password_hash: None while the member has not followed an invitation.
        session_epoch: A session opened under another epoch (password, role, membership) is void.
        invited_until: End of an open or lapsed invitation; None when there is none or it was used.
        last_seen_at: Of the last visit to the hub.
    """

    member: Member
    password_hash: str | None = field(repr=False)
    session_epoch: int
    invited_until: datetime | None
    last_seen_at: datetime | None


class Accounts:
    """The accounts of the members."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, name: str) -> Account | None:
        """Return the account of a present member, or None."""
        with self._database.read() as connection:
            row = connection.execute(present_members().where(MEMBER.c.name == name)).one_or_none()
        return None if row is None else _account(row)

    def find_listed(self, name: str) -> Account | None:
        """Return the account of a member, also of a guest whose last day has passed, or None."""
        with self._database.read() as connection:
            row = connection.execute(_LISTED.where(MEMBER.c.name == name)).one_or_none()
        return None if row is None else _account(row)

    def all(self) -> tuple[Account, ...]:
        """Return the account of every present member by user name."""
        with self._database.read() as connection:
            rows = connection.execute(present_members().order_by(MEMBER.c.name))
            return tuple(_account(row) for row in rows)

    def listed(self) -> tuple[Account, ...]:
        """Return also the accounts of guests whose last day has passed, by user name."""
        with self._database.read() as connection:
            return tuple(_account(row) for row in connection.execute(_LISTED.order_by(MEMBER.c.name)))

    def renew_hash(self, account: Account, password_hash: str) -> None:
        """Keep a stronger hash of the same password, unless the password changed meanwhile."""
        with self._database.write() as connection:
            connection.execute(
                update(MEMBER)
                .where(MEMBER.c.id == account.member.id, MEMBER.c.password_hash == account.password_hash)
                .values(password_hash=password_hash)
            )

    def seen(self, account: Account, now: datetime) -> None:
        """Remember that the member visited the hub."""
        with self._database.write() as connection:
            connection.execute(
                update(MEMBER).where(MEMBER.c.id == account.member.id).values(last_seen_at=now)
            )


_LISTED = select(MEMBER).where(MEMBER.c.removed_at.is_(None))


def _account(row: Row[Any]) -> Account:
    return Account(
        member=member_of(row),
        password_hash=row.password_hash,
        session_epoch=row.session_epoch,
        invited_until=None if row.invitation_used_at else row.invitation_expires_at,
        last_seen_at=row.last_seen_at,
    )


def same_password(password: str) -> str:
    """Return the form in which a password is hashed: two keyboards may compose one accent differently."""
    return unicodedata.normalize("NFKC", password)


def find_password_problem(password: str, repeated: str, member: Member) -> PasswordProblem | None:
    """Return why `password` will not do for `member`, or None when it will."""
    if len(password) < SHORTEST_PASSWORD:
        return "too short"
    if len(password) > LONGEST_PASSWORD:
        return "too long"
    if password.strip().casefold() in {member.name, member.email.casefold(), member.display_name.casefold()}:
        return "is your name"
    if len(set(password)) < 4:
        return "too plain"
    if password != repeated:
        return "not repeated"
    return None
