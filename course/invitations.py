"""Invitations: a link for one member, good once and for some days, with which the member sets a password.

A link is bound to the roster's entry: it is void when that gets another name or address before the link was
used, and when the membership ends.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select, update

from course.database import Database
from course.errors import Conflict, NotFound
from course.members import MEMBER, NO_INVITATION, Member, is_present, member_of

VALID_FOR = timedelta(days=14)

InvitationState = Literal["open", "used", "expired"]


@dataclass(frozen=True, slots=True)
class Invitation:
    """One member's current invitation."""

    member: Member
    expires_at: datetime
    state: InvitationState


class Invitations:
    """The invitations of one cohort; only the SHA-256 of a token is kept, and one token per member."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, name: str, now: datetime, valid_for: timedelta = VALID_FOR) -> str:
        """Return a new token of 256 bits, good for `valid_for`; the member's earlier one is void.

        Raises:
            NotFound: There is no such member.
        """
        token = secrets.token_urlsafe(32)
        with self._database.write() as connection:
            issued = connection.execute(
                update(MEMBER)
                .where(MEMBER.c.name == name, is_present(now))
                .values(
                    invitation_sha256=_digest(token),
                    invitation_expires_at=now + valid_for,
                    invitation_used_at=None,
                )
            )
        if issued.rowcount != 1:
            raise NotFound(
                f"{name!r} is not a member of this cohort.", "Add the person with: spoc cohort import"
            )
        return token

    def revoke(self, name: str, now: datetime) -> bool:
        """Void the member's open link; return whether there was one. A password that it set stays."""
        with self._database.write() as connection:
            revoked = connection.execute(
                update(MEMBER)
                .where(
                    MEMBER.c.name == name,
                    MEMBER.c.invitation_used_at.is_(None),
                    MEMBER.c.invitation_expires_at > now,
                )
                .values(**NO_INVITATION)
            )
        return revoked.rowcount == 1

    def find(self, token: str, now: datetime) -> Invitation | None:
        """Return what `token` is good for, without using it up; None when it is unknown or replaced."""
        with self._database.read() as connection:
            row = connection.execute(
                select(MEMBER).where(MEMBER.c.invitation_sha256 == _digest(token), is_present(now))
            ).one_or_none()
        if row is None:
            return None
        state: InvitationState = "open"
        if row.invitation_used_at is not None:
            state = "used"
        elif row.invitation_expires_at <= now:
            state = "expired"
        return Invitation(member_of(row), row.invitation_expires_at, state)

    def redeem(self, token: str, password_hash: str, now: datetime) -> Member:
        """Use up `token` and set the member's password, in one write: both happen or neither.

        Sessions that were opened with an earlier password end.

        Raises:
            Conflict: The token is unknown, replaced, used or expired.
        """
        with self._database.write() as connection:
            row = connection.execute(
                update(MEMBER)
                .where(
                    MEMBER.c.invitation_sha256 == _digest(token),
                    MEMBER.c.invitation_used_at.is_(None),
                    MEMBER.c.invitation_expires_at > now,
                    is_present(now),
                )
                .values(
                    invitation_used_at=now,
                    password_hash=password_hash,
                    session_epoch=MEMBER.c.session_epoch + 1,
                )
                .returning(MEMBER)
            ).one_or_none()
        if row is None:
            raise Conflict("This invitation cannot be used.", "Ask your trainer for a new one.")
        return member_of(row)


def _digest(token: str) -> str:
    # 256 random bits cannot be guessed, so a fast hash is enough; surrogates come from hostile URLs.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
