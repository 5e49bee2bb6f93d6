"""The roster: one file in, all of it or nothing, and a name never passes to another person."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from course.accounts import Accounts
from course.database import Database
from course.errors import FileProblems, NotFound
from course.invitations import Invitations
from course.members import end_of_day, last_day
from course.roster import Member, Roster, size_advice

pytestmark = pytest.mark.quick


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    return Roster(Database(f"sqlite:///{tmp_path / 'spoc.sqlite'}"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "roster.csv"


ADA = "ada,Ada Lovelace,ada@example.org,learner"
TIA = "tia,Tia Trainer,tia@example.org,trainer"


def written(file: Path, *lines: str, header: str = "username,name,email,role") -> Path:
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return file


def test_members_of_the_file_are_found_by_user_name(roster: Roster, file: Path) -> None:
    assert roster.import_csv(written(file, ADA, TIA)).added == ("ada", "tia")
    assert roster.find("ada") == Member(1, "ada", "Ada Lovelace", "ada@example.org", "learner")
    assert [member.role for member in roster.members()] == ["learner", "trainer"]
    assert roster.find("al") is None
    with pytest.raises(NotFound, match="ad"):
        roster.get("ad")


def test_a_spreadsheets_semicolons_mark_and_capitals_are_read(roster: Roster, file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + "Name;USERNAME\r\nZo\u00eb L\u00e9ger;zoe\r\n\r\n;\r\n".encode())
    roster.import_csv(file)
    assert roster.get("zoe") == Member(1, "zoe", "Zo\u00eb L\u00e9ger", "", "learner")


def test_every_problem_is_named_with_its_line_and_nothing_is_imported(roster: Roster, file: Path) -> None:
    written(file, ADA, "Bob,Bob,bob@example.org,", "ada,Ada Again,not-an-address,boss", "a,b,c,d,e", ",,,")
    with pytest.raises(FileProblems) as refused:
        roster.import_csv(file)
    assert [problem.split(":")[0] for problem in refused.value.problems] == [
        "line 3",
        "line 4",
        "line 4",
        "line 4",
        "line 5",
    ]
    assert roster.members() == ()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 81,
        "tab\there",
        "\u202egnp.exe",
        "zero\u200bwidth",
        "bell\x07",
        "...",
        '"two\nlines"',
        "\ue000x",
    ],
)
def test_a_display_name_that_could_mislead_is_refused(roster: Roster, file: Path, name: str) -> None:
    with pytest.raises(FileProblems):
        roster.import_csv(written(file, f"ada,{name},,"))


@pytest.mark.parametrize(
    "name", ["", "Ada", "1ada", "-a", "a/b", "..", "a.b", "a_b", "ada\u0301", "a" * 32, "ad%61", "аda"]
)
def test_a_user_name_that_could_mean_something_else_is_refused(roster: Roster, file: Path, name: str) -> None:
    with pytest.raises(FileProblems, match="user name"):
        roster.import_csv(written(file, f"{name},Ada,,"))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"username,name\n", "nobody"),
        (b"name,email\nAda,\n", "'username' is missing"),
        (b"username,name,mail\nada,Ada,x\n", "no column 'mail'"),
        (b"username,name,name\nada,Ada,x\n", "stands twice"),
        (b"username,name\nada,\xe9\n", "line 2: not UTF-8"),
        (b"username,name\nada,\x00\n", "NUL"),
        (b'username,name\nada,"Ada\n', "line 2"),
        (b"x" * ((1 << 20) + 1), "larger"),
    ],
)
def test_a_file_that_is_no_roster_says_what_is_wrong(
    roster: Roster, file: Path, content: bytes, problem: str
) -> None:
    file.write_bytes(content)
    with pytest.raises(FileProblems, match=problem):
        roster.import_csv(file)


def test_a_file_that_is_not_there_is_a_problem_of_the_file(roster: Roster, tmp_path: Path) -> None:
    with pytest.raises(FileProblems, match="No such file"):
        roster.import_csv(tmp_path / "none.csv")


def test_importing_again_updates_and_reports_who_is_missing_but_removes_nobody(
    roster: Roster, file: Path
) -> None:
    roster.import_csv(written(file, ADA, TIA))
    change = roster.import_csv(written(file, "ada,Ada King,ada@example.org,trainer"))
    assert (change.updated, change.missing, change.removed) == (("ada",), ("tia",), ())
    assert roster.get("ada") == Member(1, "ada", "Ada King", "ada@example.org", "trainer")
    assert roster.import_csv(file).unchanged == ("ada",)
    assert roster.import_csv(file, remove_missing=True).removed == ("tia",)
    assert roster.find("tia") is None


def test_the_same_person_comes_back_to_the_same_id(roster: Roster, file: Path) -> None:
    roster.import_csv(written(file, ADA))
    roster.remove("ada")
    assert roster.find("ada") is None
    assert roster.import_csv(written(file, "ada,Ada King,ADA@example.org,")).restored == ("ada",)
    assert roster.get("ada").id == 1


@pytest.mark.parametrize(
    "other",
    ["ada,Ada Byron,byron@example.org,", "ada,Ada Lovelace,,"],
)
def test_a_name_of_a_former_member_never_passes_to_another_person(
    roster: Roster, file: Path, other: str
) -> None:
    roster.import_csv(written(file, ADA))
    roster.remove("ada")
    with pytest.raises(FileProblems, match="former member"):
        roster.import_csv(written(file, TIA, other))
    assert roster.members() == ()


def test_ids_are_never_reused(roster: Roster, file: Path) -> None:
    roster.import_csv(written(file, ADA, TIA))
    roster.remove("tia")
    roster.import_csv(written(file, ADA, "max,Max,,"))
    assert roster.get("max").id == 3


def test_removing_somebody_who_is_not_a_member_is_refused(roster: Roster, file: Path) -> None:
    roster.import_csv(written(file, ADA))
    roster.remove("ada")
    with pytest.raises(NotFound):
        roster.remove("ada")


@pytest.mark.parametrize(("learners", "advice"), [(3, "fewer"), (15, ""), (35, ""), (36, "more")])
def test_a_cohort_that_is_too_small_or_too_large_is_told_why(learners: int, advice: str) -> None:
    cohort = tuple(Member(number, f"m{number}", "M", "", "learner") for number in range(learners))
    trainer = Member(99, "tia", "Tia", "", "trainer")
    said = size_advice((*cohort, trainer))
    assert advice in said
    assert bool(said) == bool(advice)


def test_another_role_is_reported_and_voids_what_is_open_and_another_name_does_not(
    roster: Roster, file: Path, tmp_path: Path
) -> None:
    accounts = Accounts(Database(f"sqlite:///{tmp_path / 'spoc.sqlite'}"))

    def epochs() -> dict[str, int]:
        return {account.member.name: account.session_epoch for account in accounts.all()}

    roster.import_csv(written(file, ADA, TIA))
    before = epochs()
    change = roster.import_csv(written(file, "ada,Ada King,ada@example.org,learner", f"{TIA[:-7]}learner"))
    assert (change.updated, change.role_changed) == (("ada", "tia"), ("tia",))
    assert epochs() == before | {"tia": before["tia"] + 1}
    assert roster.import_csv(written(file, ADA, f"{TIA[:-7]}learner")).role_changed == ()


GUESTS = "username,name,email,role,until"
PARIS = ZoneInfo("Europe/Paris")


def test_a_guests_last_day_ends_at_midnight_of_the_cohorts_time_zone(roster: Roster, file: Path) -> None:
    roster.import_csv(written(file, "gus,Gus,,,2999-07-14", "ada,Ada,,,", header=GUESTS), zone=PARIS)
    assert roster.get("gus").ends_at == datetime(2999, 7, 14, 22, tzinfo=UTC)
    assert roster.get("ada").ends_at is None


@pytest.mark.parametrize("zone", ["Europe/Paris", "Pacific/Auckland", "America/Los_Angeles", "UTC"])
@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 12, 31)])
def test_a_last_day_is_shown_as_it_was_written(day: date, zone: str) -> None:
    assert last_day(end_of_day(day, ZoneInfo(zone)), ZoneInfo(zone)) == day


def test_who_is_past_the_last_day_is_no_member_and_becomes_one_again_with_a_later_day(
    roster: Roster, file: Path
) -> None:
    change = roster.import_csv(written(file, "gus,Gus,,,2026-01-31", "ada,Ada,,,", header=GUESTS))
    assert change.ended == ("gus",)
    assert roster.find("gus") is None
    assert [member.name for member in roster.members()] == ["ada"]
    assert roster.import_csv(written(file, "gus,Gus,,,2999-01-31", header=GUESTS)).ended == ()
    assert roster.get("gus").id == 1
    roster.import_csv(written(file, "gus,Gus,,,", header=GUESTS))
    assert roster.get("gus").ends_at is None


def test_a_file_without_last_days_makes_no_guest_stay(roster: Roster, file: Path) -> None:
    roster.import_csv(written(file, "gus,Gus,,,2999-01-31", header=GUESTS))
    assert roster.import_csv(written(file, "gus,Gus,,")).unchanged == ("gus",)
    assert roster.get("gus").ends_at is not None


@pytest.mark.parametrize("until", ["31/12/2026", "2026-02-30", "soon", "9999-12-31", "2026-1-1"])
def test_what_is_no_last_day_is_refused(roster: Roster, file: Path, until: str) -> None:
    with pytest.raises(FileProblems, match=r"line 2: .*(not a day|further)"):
        roster.import_csv(written(file, f"gus,Gus,,,{until}", header=GUESTS))


def joined(roster: Roster, file: Path, *lines: str) -> Invitations:
    """Import members who have set a password since."""
    roster.import_csv(written(file, *lines))
    invitations = Invitations(Database(f"sqlite:///{file.parent / 'spoc.sqlite'}"))
    now = datetime.now(UTC)
    for line in lines:
        invitations.redeem(invitations.issue(line.partition(",")[0], now), "hash", now)
    return invitations


def test_an_account_in_use_passes_to_another_name_or_address_only_when_told_so(
    roster: Roster, file: Path
) -> None:
    joined(roster, file, ADA, TIA)
    others = ["ada,Ada Byron,ada@example.org,learner", "tia,Tia Trainer,tia@example.com,trainer", "bob,Bob,,"]
    with pytest.raises(FileProblems) as refused:
        roster.import_csv(written(file, *others))
    assert [problem.split(" has")[0] for problem in refused.value.problems] == [
        "line 2: 'ada'",
        "line 3: 'tia'",
    ]
    assert "--same-people" in str(refused.value)
    assert roster.find("bob") is None
    assert roster.import_csv(file, same_people=True).updated == ("ada", "tia")
    assert roster.get("ada").display_name == "Ada Byron"


def test_an_account_in_use_takes_another_role_last_day_and_capitals_of_the_address(
    roster: Roster, file: Path
) -> None:
    joined(roster, file, ADA)
    line = "ada,Ada Lovelace,ADA@example.org,trainer,2999-01-31"
    assert roster.import_csv(written(file, line, header=GUESTS)).updated == ("ada",)


@pytest.mark.parametrize("other", ["ada,Ada Byron,ada@example.org,", "ada,Ada Lovelace,byron@example.org,"])
def test_an_open_invitation_is_void_once_somebody_else_stands_in_its_place(
    roster: Roster, file: Path, other: str
) -> None:
    roster.import_csv(written(file, ADA, TIA))
    invitations = Invitations(Database(f"sqlite:///{file.parent / 'spoc.sqlite'}"))
    now = datetime.now(UTC)
    tokens = {name: invitations.issue(name, now) for name in ("ada", "tia")}
    assert roster.import_csv(written(file, other, TIA)).uninvited == ("ada",)
    assert invitations.find(tokens["ada"], now) is None
    assert invitations.find(tokens["tia"], now) is not None
