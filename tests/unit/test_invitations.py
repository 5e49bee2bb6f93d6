"""An invitation lets one member in, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from course.accounts import Accounts, find_password_problem, same_password
from course.database import Database
from course.errors import Conflict, NotFound
from course.invitations import Invitations
from course.roster import Member, Roster

pytestmark = pytest.mark.quick

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'spoc.sqlite'}")
    roster = tmp_path / "roster.csv"
    roster.write_text("username,name\nada,Ada\nbob,Bob\n", encoding="utf-8")
    Roster(database).import_csv(roster)
    return database


@pytest.fixture
def invitations(database: Database) -> Invitations:
    return Invitations(database)


def test_looking_at_an_invitation_does_not_use_it_up(invitations: Invitations) -> None:
    token = invitations.issue("ada", NOW)
    for _ in range(2):
        invitation = invitations.find(token, NOW)
        assert invitation is not None
        assert (invitation.member.name, invitation.state) == ("ada", "open")


def test_an_invitation_works_once(invitations: Invitations, database: Database) -> None:
    token = invitations.issue("ada", NOW)
    assert invitations.redeem(token, "hash", NOW).name == "ada"
    with pytest.raises(Conflict):
        invitations.redeem(token, "other", NOW)
    account = Accounts(database).find("ada")
    assert account is not None
    assert account.password_hash == "hash"
    invitation = invitations.find(token, NOW)
    assert invitation is not None
    assert invitation.state == "used"


def test_of_many_simultaneous_redemptions_one_succeeds(invitations: Invitations, database: Database) -> None:
    token = invitations.issue("ada", NOW)

    def redeem(number: int) -> str:
        try:
            invitations.redeem(token, f"hash {number}", NOW)
        except Conflict:
            return ""
        return f"hash {number}"

    with ThreadPoolExecutor(8) as pool:
        winners = [winner for winner in pool.map(redeem, range(8)) if winner]
    assert len(winners) == 1
    account = Accounts(database).find("ada")
    assert account is not None
    assert account.password_hash == winners[0]


def test_an_invitation_expires_after_14_days(invitations: Invitations) -> None:
    token = invitations.issue("ada", NOW)
    later = NOW + timedelta(days=14)
    invitation = invitations.find(token, later)
    assert invitation is not None
    assert invitation.state == "expired"
    with pytest.raises(Conflict):
        invitations.redeem(token, "hash", later)
    invitations.redeem(token, "hash", later - timedelta(seconds=1))


def test_a_new_invitation_replaces_the_old_one(invitations: Invitations) -> None:
    old, new = invitations.issue("ada", NOW), invitations.issue("ada", NOW)
    assert invitations.find(old, NOW) is None
    with pytest.raises(Conflict):
        invitations.redeem(old, "hash", NOW)
    invitations.redeem(new, "hash", NOW)


def test_a_revoked_invitation_is_void_and_a_used_one_leaves_its_password(
    invitations: Invitations, database: Database
) -> None:
    token = invitations.issue("ada", NOW)
    assert invitations.revoke("ada", NOW)
    assert invitations.find(token, NOW) is None
    with pytest.raises(Conflict):
        invitations.redeem(token, "hash", NOW)
    assert not invitations.revoke("ada", NOW)
    invitations.redeem(invitations.issue("bob", NOW), "hash", NOW)
    assert not invitations.revoke("bob", NOW)
    account = Accounts(database).find("bob")
    assert account is not None
    assert account.password_hash == "hash"


def test_an_invitation_lasts_as_long_as_its_sender_says(invitations: Invitations) -> None:
    token = invitations.issue("ada", NOW, timedelta(days=2))
    for days, state in ((1, "open"), (2, "expired")):
        invitation = invitations.find(token, NOW + timedelta(days=days))
        assert invitation is not None
        assert invitation.state == state


def test_an_invitation_ends_with_the_guests_last_day(
    invitations: Invitations, database: Database, tmp_path: Path
) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("username,name,until\nada,Ada,2999-01-01\n", encoding="utf-8")
    Roster(database).import_csv(roster)
    day_after = datetime(2999, 1, 2, tzinfo=UTC)
    token = invitations.issue("ada", day_after - timedelta(days=1))
    assert invitations.find(token, day_after - timedelta(seconds=1)) is not None
    assert invitations.find(token, day_after) is None
    with pytest.raises(Conflict):
        invitations.redeem(token, "hash", day_after)
    with pytest.raises(NotFound):
        invitations.issue("ada", day_after)


@pytest.mark.parametrize("token", ["", "x", "\ud800", "é" * 10_000, "' OR 1=1 --"])
def test_a_made_up_token_is_unknown(invitations: Invitations, token: str) -> None:
    invitations.issue("ada", NOW)
    assert invitations.find(token, NOW) is None
    with pytest.raises(Conflict):
        invitations.redeem(token, "hash", NOW)


def test_only_members_are_invited(invitations: Invitations) -> None:
    with pytest.raises(NotFound):
        invitations.issue("eve", NOW)


def test_a_token_is_not_in_the_database(invitations: Invitations, tmp_path: Path) -> None:
    token = invitations.issue("ada", NOW)
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("spoc.sqlite*"))
    assert token.encode() not in stored


def test_a_removed_member_has_neither_invitation_nor_password(
    invitations: Invitations, database: Database, tmp_path: Path
) -> None:
    token = invitations.issue("ada", NOW)
    invitations.redeem(token, "hash", NOW)
    token = invitations.issue("ada", NOW)
    Roster(database).remove("ada")
    assert invitations.find(token, NOW) is None
    assert Accounts(database).find("ada") is None
    Roster(database).import_csv(tmp_path / "roster.csv")
    account = Accounts(database).find("ada")
    assert account is not None
    assert (account.password_hash, account.invited_until) == (None, None)


def test_a_new_password_and_a_removal_end_earlier_sessions(
    invitations: Invitations, database: Database, tmp_path: Path
) -> None:
    def epoch() -> int:
        account = Accounts(database).find("ada")
        assert account is not None
        return account.session_epoch

    epochs = [epoch()]
    invitations.redeem(invitations.issue("ada", NOW), "hash", NOW)
    epochs.append(epoch())
    Roster(database).remove("ada")
    Roster(database).import_csv(tmp_path / "roster.csv")
    epochs.append(epoch())
    assert len(set(epochs)) == 3


def test_a_renewed_hash_does_not_undo_a_newer_password(invitations: Invitations, database: Database) -> None:
    accounts = Accounts(database)
    invitations.redeem(invitations.issue("ada", NOW), "old", NOW)
    signing_in = accounts.find("ada")
    assert signing_in is not None
    invitations.redeem(invitations.issue("ada", NOW), "new", NOW)
    accounts.renew_hash(signing_in, "old, stronger")
    account = accounts.find("ada")
    assert account is not None
    assert account.password_hash == "new"
    assert "new" not in repr(account)


ADA = Member(1, "ada-lovelace", "Ada Lovelace", "ada@example.org", "learner")


@pytest.mark.parametrize(
    ("password", "repeated", "problem"),
    [
        ("short", "short", "too short"),
        ("x" * 257, "x" * 257, "too long"),
        ("Ada-Lovelace", "Ada-Lovelace", "is your name"),
        ("ada lovelace ", "ada lovelace ", "is your name"),
        ("aaaaaaaaaaaa", "aaaaaaaaaaaa", "too plain"),
        ("correct horse", "correct hose", "not repeated"),
        ("correct horse", "correct horse", None),
        ("mot de passe à moi", "mot de passe à moi", None),
    ],
)
def test_a_password_is_long_not_the_name_and_repeated(
    password: str, repeated: str, problem: str | None
) -> None:
    assert find_password_problem(password, repeated, ADA) == problem


def test_one_password_typed_on_two_keyboards_is_one_password() -> None:
    assert same_password("cafe\u0301 cafe\u0301") == same_password("caf\u00e9 caf\u00e9")
