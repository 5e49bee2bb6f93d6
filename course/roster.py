"""Who is in the cohort: the allow-list that everything else asks.

A member's id and user name are given once and never to somebody else: homes, submissions, events and marks
carry them. A removed member keeps the row; the same person, imported again, comes back to it. A guest has a
last day; who is past it is no present member, and becomes one again with a later day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select, update

from course.database import Database
from course.errors import FileProblems, NotFound
from course.members import (
    MEMBER,
    NO_CREDENTIALS,
    NO_INVITATION,
    SPONSORING,
    TEACHING,
    Member,
    end_of_day,
    member_of,
    present_members,
)
from course.roster_file import NEXT_STEP, Role, RosterLine, read_roster

__all__ = ["SPONSORING", "TEACHING", "Member", "Role", "Roster", "RosterImport", "size_advice"]

SMALLEST_COHORT, LARGEST_COHORT = 15, 35


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
    ended: tuple[str, ...] = ()
    """Members of the file whose last day has passed."""
    uninvited: tuple[str, ...] = ()
    """Those of `updated` whose open invitation is void, since it was sent to who stood there before."""


class Roster:
    """The members of one deployment's cohort."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, name: str) -> Member | None:
        """Return the present member of that user name, or None."""
        with self._database.read() as connection:
            row = connection.execute(present_members().where(MEMBER.c.name == name)).one_or_none()
        return None if row is None else member_of(row)

    def get(self, name: str) -> Member:
        """Return the present member of that user name.

        Raises:
            NotFound: There is none.
        """
        member = self.find(name)
        if member is None:
            raise NotFound(
                f"{name!r} is not a member of this cohort, or no longer.", "See who is with: spoc cohort list"
            )
        return member

    def members(self) -> tuple[Member, ...]:
        """Return the present members by user name."""
        with self._database.read() as connection:
            return tuple(
                member_of(row) for row in connection.execute(present_members().order_by(MEMBER.c.name))
            )

    def import_csv(
        self, path: Path, *, remove_missing: bool = False, same_people: bool = False, zone: tzinfo = UTC
    ) -> RosterImport:
        """Add and update members from a roster file; all of it or nothing.

        Args:
            path: A file as `course.roster_file` describes it.
            remove_missing: Also remove every member who is not in the file.
            same_people: Who joined keeps the account also under another name or address. Without it that is
                refused: it may be another person, who would get the first one's work and password.
            zone: In which a guest's last day ends.

        Raises:
            FileProblems: The file cannot be used; every problem is named with its line.
        """
        lines = read_roster(path)
        with self._database.write() as connection:
            known = {row.name: row for row in connection.execute(select(MEMBER))}
            problems = [
                f"line {line.line}: {problem}"
                for line in lines
                if line.name in known
                and (problem := _identity_problem(line, known[line.name], same_people=same_people))
            ]
            if problems:
                raise FileProblems(path, problems, NEXT_STEP)
            outcome: dict[str, list[str]] = {"added": [], "updated": [], "restored": [], "unchanged": []}
            for line in lines:
                outcome[_store(connection, line, known.get(line.name), zone)].append(line.name)
            listed = {line.name for line in lines}
            absent = sorted(
                row.name for row in known.values() if not row.removed_at and row.name not in listed
            )
            if remove_missing:
                for name in absent:
                    _end_membership(connection, name)
            now = datetime.now(UTC)
            present = {row.name for row in connection.execute(present_members(now))}
            return RosterImport(
                **{change: tuple(sorted(names)) for change, names in outcome.items()},
                role_changed=_role_changes(lines, known),
                ended=tuple(sorted(listed - present)),
                uninvited=_void_invitations(lines, known, now),
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


def _identity_problem(line: RosterLine, row: Row[Any], *, same_people: bool) -> str:
    """Return why `line` may not take over the account in `row`; empty when it may."""
    if row.removed_at is not None:
        if _may_return(line, row):
            return ""
        return (
            f"user name {line.name!r} was that of {row.display_name}, a former member; homes and marks carry "
            "it, so another person needs another one"
        )
    if row.password_hash is None or same_people or _is_identical(line, row):
        return ""
    return (
        f"{line.name!r} has joined as {_identity(row)} and stands here as {_identity(line)}. Another person "
        "needs another user name; if all these are the same people, import with --same-people"
    )


def _may_return(line: RosterLine, former: Row[Any]) -> bool:
    if line.email or former.email:
        return bool(line.email.casefold() == former.email.casefold())
    return bool(line.display_name == former.display_name)


def _is_identical(line: RosterLine, row: Row[Any]) -> bool:
    return bool(
        line.email.casefold() == row.email.casefold() and line.display_name == row.display_name,
    )


def _identity(person: RosterLine | Row[Any]) -> str:
    return f"{person.display_name} <{person.email}>" if person.email else str(person.display_name)


def _void_invitations(
    lines: Sequence[RosterLine], known: Mapping[str, Row[Any]], now: datetime
) -> tuple[str, ...]:
    """Return whose open invitation `_store` has voided, by user name."""
    found = ((line, known[line.name]) for line in lines if line.name in known)
    return tuple(
        sorted(
            line.name
            for line, row in found
            if _is_invited(row, now) and row.removed_at is None and not _is_identical(line, row)
        )
    )


def _is_invited(row: Row[Any], now: datetime) -> bool:
    return bool(
        row.invitation_used_at is None and row.invitation_expires_at and row.invitation_expires_at > now
    )


def _role_changes(lines: Sequence[RosterLine], known: Mapping[str, Row[Any]]) -> tuple[str, ...]:
    """Return which present members have another role in `lines`, by user name."""
    present = {name: row for name, row in known.items() if row.removed_at is None}
    return tuple(
        sorted(line.name for line in lines if line.name in present and present[line.name].role != line.role)
    )


def _store(connection: Connection, line: RosterLine, row: Row[Any] | None, zone: tzinfo) -> str:
    values: dict[str, Any] = {"display_name": line.display_name, "email": line.email, "role": line.role}
    if not line.keeps_until:
        values["ends_at"] = end_of_day(line.until, zone) if line.until else None
    if row is None:
        connection.execute(MEMBER.insert().values(name=line.name, **values))
        return "added"
    changed = {field: value for field, value in values.items() if getattr(row, field) != value}
    if not changed and row.removed_at is None:
        return "unchanged"
    epoch = MEMBER.c.session_epoch + int("role" in changed)
    if not _is_identical(line, row) and row.invitation_used_at is None:
        # Bound to whom it was sent to.
        changed |= NO_INVITATION
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
