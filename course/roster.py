"""Who is in the cohort: the allow-list that everything else asks.

A member's id and user name are given once and never to somebody else: homes, submissions, events and marks
carry them. A removed member keeps the row; the same person, imported again, comes back to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import CheckConstraint, Column, Connection, Integer, Row, String, Table, select, update

from course.database import Database, UtcDateTime, metadata
from course.errors import FileProblems, NotFound
from course.roster_file import NEXT_STEP, ROLES, Role, RosterLine, read_roster

__all__ = ["TEACHING", "Member", "Role", "Roster", "RosterImport", "size_advice"]

TEACHING: frozenset[Role] = frozenset({"trainer", "admin"})
"""Who sees every learner's work."""

SMALLEST_COHORT, LARGEST_COHORT = 15, 35

MEMBER = Table(
    "member",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(31), nullable=False, unique=True),
    Column("display_name", String(80), nullable=False),
    Column("email", String(254), nullable=False),
    Column("role", String(8), CheckConstraint(f"role IN {ROLES}", name="ck_member_role"), nullable=False),
    Column("removed_at", UtcDateTime),
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

NO_CREDENTIALS: Mapping[str, None] = {
    "password_hash": None,
    "invitation_sha256": None,
    "invitation_expires_at": None,
    "invitation_used_at": None,
}


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the cohort.

    Attributes:
        id: Stable, never reused.
        name: User name, `[a-z][a-z0-9-]{0,30}`; never given to another person.
        display_name: As the person writes it; hostile text for every page.
        email: May be empty.
        role: What the person may do.
    """

    id: int
    name: str
    display_name: str
    email: str
    role: Role


@dataclass(frozen=True, slots=True)
class RosterImport:
    """What an import changed, by user name."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Members who are not in the file and stay members."""
    role_changed: tuple[str, ...] = ()
    """Those of `updated` who have another role now; what they had open under the old one is void."""
    removed: tuple[str, ...] = ()


class Roster:
    """The members of one deployment's cohort."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, name: str) -> Member | None:
        """Return the present member of that user name, or None."""
        with self._database.read() as connection:
            row = connection.execute(_PRESENT.where(MEMBER.c.name == name)).one_or_none()
        return None if row is None else member_of(row)

    def get(self, name: str) -> Member:
        """Return the present member of that user name.

        Raises:
            NotFound: There is none.
        """
        member = self.find(name)
        if member is None:
            raise NotFound(f"{name!r} is not a member of this cohort.", "See who is with: spoc cohort list")
        return member

    def members(self) -> tuple[Member, ...]:
        """Return the present members by user name."""
        with self._database.read() as connection:
            return tuple(member_of(row) for row in connection.execute(_PRESENT.order_by(MEMBER.c.name)))

    def import_csv(self, path: Path, *, remove_missing: bool = False) -> RosterImport:
        """Add and update members from a roster file; all of it or nothing.

        Args:
            path: A file as `course.roster_file` describes it.
            remove_missing: Also remove every member who is not in the file.

        Raises:
            FileProblems: The file cannot be used; every problem is named with its line.
        """
        lines = read_roster(path)
        with self._database.write() as connection:
            known = {row.name: row for row in connection.execute(select(MEMBER))}
            problems = [
                f"line {line.line}: user name {line.name!r} was that of {known[line.name].display_name}, a "
                "former member; homes and marks carry it, so another person needs another one"
                for line in lines
                if line.name in known and not _may_take(line, known[line.name])
            ]
            if problems:
                raise FileProblems(path, problems, NEXT_STEP)
            outcome: dict[str, list[str]] = {"added": [], "updated": [], "restored": [], "unchanged": []}
            for line in lines:
                outcome[_store(connection, line, known.get(line.name))].append(line.name)
            listed = {line.name for line in lines}
            absent = sorted(
                row.name for row in known.values() if not row.removed_at and row.name not in listed
            )
            if remove_missing:
                for name in absent:
                    _end_membership(connection, name)
            return RosterImport(
                **{change: tuple(sorted(names)) for change, names in outcome.items()},
                role_changed=_role_changes(lines, known),
                **{"removed" if remove_missing else "missing": tuple(absent)},
            )

    def remove(self, name: str) -> None:
        """End a membership at once: password and invitation are gone, every session is void.

        Raises:
            NotFound: There is no such member.
        """
        with self._database.write() as connection:
            if not _end_membership(connection, name):
                raise NotFound(
                    f"{name!r} is not a member of this cohort.", "See who is with: spoc cohort list"
                )


_PRESENT = select(MEMBER).where(MEMBER.c.removed_at.is_(None))


def member_of(row: Row[Any]) -> Member:
    """Return the member that a row of `MEMBER` describes."""
    return Member(row.id, row.name, row.display_name, row.email, row.role)


def size_advice(members: tuple[Member, ...]) -> str:
    """Return what to think of the number of learners, as a sentence; empty when it is a good one."""
    learners = sum(member.role == "learner" for member in members)
    reason = "one trainer's attention is what the course runs on"
    if learners > LARGEST_COHORT:
        return f"{learners} learners are more than {LARGEST_COHORT}: {reason}, so think of a second cohort."
    if learners < SMALLEST_COHORT:
        return (
            f"{learners} learners are fewer than {SMALLEST_COHORT}: {reason}, and a small group leaves "
            "comparisons in reports uncertain."
        )
    return ""


def _may_take(line: RosterLine, former: Row[Any]) -> bool:
    if former.removed_at is None:
        return True
    if line.email or former.email:
        return bool(line.email.casefold() == former.email.casefold())
    return bool(line.display_name == former.display_name)


def _role_changes(lines: Sequence[RosterLine], known: Mapping[str, Row[Any]]) -> tuple[str, ...]:
    """Return which present members have another role in `lines`, by user name."""
    present = {name: row for name, row in known.items() if row.removed_at is None}
    return tuple(
        sorted(line.name for line in lines if line.name in present and present[line.name].role != line.role)
    )


def _store(connection: Connection, line: RosterLine, row: Row[Any] | None) -> str:
    values = {"display_name": line.display_name, "email": line.email, "role": line.role}
    if row is None:
        connection.execute(MEMBER.insert().values(name=line.name, **values))
        return "added"
    changed = {field: value for field, value in values.items() if getattr(row, field) != value}
    if not changed and row.removed_at is None:
        return "unchanged"
    epoch = MEMBER.c.session_epoch + int("role" in changed)
    connection.execute(
        update(MEMBER).where(MEMBER.c.id == row.id).values(**changed, removed_at=None, session_epoch=epoch)
    )
    return "updated" if row.removed_at is None else "restored"


def _end_membership(connection: Connection, name: str) -> bool:
    ended = connection.execute(
        update(MEMBER)
        .where(MEMBER.c.name == name, MEMBER.c.removed_at.is_(None))
        .values(removed_at=datetime.now(UTC), session_epoch=MEMBER.c.session_epoch + 1, **NO_CREDENTIALS)
    )
    return ended.rowcount == 1
