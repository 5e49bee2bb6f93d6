"""`spoc cohort`: what a trainer types, and what comes back."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from course.accounts import Accounts
from course.database import Database
from course.invitations import Invitations
from course.state import StateFolder
from hub_config.cli import spoc
from hub_config.settings import Settings, write_settings

pytestmark = pytest.mark.quick


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "roster.csv"
    path.write_text(
        "username,name,email,role\n"
        "ada,Ada [bold]Lovelace,ada@example.org,\n"
        "bob,Bob,,learner\n"
        "tia,Tia,,trainer\n",
        encoding="utf-8",
    )
    return path


def run(state: StateFolder, *arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(
        spoc, ["cohort", *arguments, "--state-dir", str(state.root)], input=answer, catch_exceptions=False
    )


def run_json(state: StateFolder, *arguments: str) -> Any:
    result = run(state, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_an_import_says_what_changed_and_that_the_cohort_is_small(state: StateFolder, file: Path) -> None:
    result = run(state, "import", str(file))
    assert result.exit_code == 0
    assert "Added: ada, bob, tia" in result.output
    assert "2 learners are fewer than 15" in result.output
    assert state.root.stat().st_mode & 0o777 == 0o700


def test_a_bad_file_exits_with_1_and_names_every_line(state: StateFolder, file: Path) -> None:
    file.write_text("username,name,role\nAda,Ada,boss\nbob,,\n", encoding="utf-8")
    result = run(state, "import", str(file))
    assert result.exit_code == 1
    assert result.stderr.count("\n  - line ") == 3


def test_members_who_are_not_in_the_file_go_only_when_asked(state: StateFolder, file: Path) -> None:
    run(state, "import", str(file))
    file.write_text("username,name\nada,Ada\n", encoding="utf-8")
    assert "Not in the file, kept: bob, tia" in run(state, "import", str(file)).output
    assert run(state, "import", str(file), "--remove-missing", answer="n\n").exit_code == 1
    change = run_json(state, "import", str(file), "--remove-missing", "--yes")
    assert (change["removed"], change["hub"]) == (["bob", "tia"], "not running")


def test_a_printed_link_is_whole_and_works(state: StateFolder, file: Path) -> None:
    run(state, "import", str(file))
    write_settings(state, Settings(public_url="https://course.example.org/with/a/rather/long/path/"))
    result = run(state, "invite", "ada")
    link = next(word for word in result.output.split() if word.startswith("https://"))
    address, _, token = link.partition("?token=")
    assert address == "https://course.example.org/with/a/rather/long/path/hub/invitation"
    assert "Ada [bold]Lovelace" in result.output
    database = Database(state.database_url)
    invitations, accounts = Invitations(database), Accounts(database)
    account = accounts.find("ada")
    assert account is not None
    assert account.invited_until is not None
    assert invitations.redeem(token, "hash", account.invited_until.replace(year=2000)).name == "ada"
    database.close()


def test_all_means_everybody_without_a_password(state: StateFolder, file: Path) -> None:
    run(state, "import", str(file))
    invited = run_json(state, "invite", "--all")["invitations"]
    assert [each["name"] for each in invited] == ["ada", "bob", "tia"]
    database = Database(state.database_url)
    account = Accounts(database).find("ada")
    assert account is not None
    assert account.invited_until is not None
    Invitations(database).redeem(
        invited[0]["link"].partition("=")[2], "hash", account.invited_until.replace(year=2000)
    )
    database.close()
    assert [each["name"] for each in run_json(state, "invite", "--all")["invitations"]] == ["bob", "tia"]
    states = {each["name"]: each["state"] for each in run_json(state, "list")["members"]}
    assert states == {"ada": "joined", "bob": "invited", "tia": "invited"}


def test_a_mistyped_name_leaves_earlier_links_alone(state: StateFolder, file: Path) -> None:
    run(state, "import", str(file))
    link = run_json(state, "invite", "ada")["invitations"][0]["link"]
    result = run(state, "invite", "ada", "bobb")
    assert result.exit_code == 1
    assert "'bobb' is not a member" in result.output
    database = Database(state.database_url)
    account = Accounts(database).find("ada")
    assert account is not None
    assert account.invited_until is not None
    assert Invitations(database).find(link.partition("=")[2], account.invited_until) is not None
    database.close()


@pytest.mark.parametrize("arguments", [["invite"], ["invite", "--all", "ada"], ["revoke"], ["remove"]])
def test_saying_nobody_or_contradicting_oneself_is_wrong_usage(
    state: StateFolder, file: Path, arguments: list[str]
) -> None:
    run(state, "import", str(file))
    assert run(state, *arguments).exit_code == 2


def test_a_revoked_link_is_reported_and_who_had_none_is_too(state: StateFolder, file: Path) -> None:
    run(state, "import", str(file))
    run(state, "invite", "ada", "bob")
    assert run_json(state, "revoke", "ada", "tia") == {"revoked": ["ada"], "without": ["tia"]}
    assert run(state, "revoke", "bob", "eve").exit_code == 1
    states = {each["name"]: each["state"] for each in run_json(state, "list")["members"]}
    assert states == {"ada": "not invited", "bob": "invited", "tia": "not invited"}
    assert "Revoked: bob" in run(state, "revoke", "--all").output
    assert "no open link" in run(state, "revoke", "--all").output


def test_a_link_is_good_for_as_many_days_as_asked(state: StateFolder, file: Path) -> None:
    run(state, "import", str(file))
    expires_at = datetime.fromisoformat(run_json(state, "invite", "ada", "--days", "3")["expires_at"])
    assert timedelta(days=2) < expires_at - datetime.now(UTC) <= timedelta(days=3)


def test_a_guests_last_day_is_of_the_cohorts_time_zone_and_listed_when_it_is_over(
    state: StateFolder, file: Path
) -> None:
    state.root.mkdir()
    write_settings(state, Settings(time_zone="Pacific/Auckland"))
    file.write_text("username,name,until\ngus,Gus,2999-05-01\nold,Old,2020-05-01\n", encoding="utf-8")
    assert "Past their last day, so not let in: old" in run(state, "import", str(file)).output
    members = {each["name"]: each for each in run_json(state, "list")["members"]}
    assert members["gus"]["ends_at"] == "2999-05-01T12:00:00+00:00"
    assert (members["gus"]["until"], members["gus"]["state"]) == ("2999-05-01", "not invited")
    assert (members["old"]["until"], members["old"]["state"]) == ("2020-05-01", "ended")
    assert run(state, "invite", "old").exit_code == 1
    assert run_json(state, "remove", "old", "--yes")["removed"] == ["old"]


def test_who_stands_in_the_place_of_a_member_who_joined_is_named_until_told_so(
    state: StateFolder, file: Path
) -> None:
    run(state, "import", str(file))
    link = run_json(state, "invite", "bob")["invitations"][0]["link"]
    with closing(Database(state.database_url)) as database:
        Invitations(database).redeem(link.partition("=")[2], "hash", datetime.now(UTC))
    file.write_text("username,name\nbob,Another Bob\n", encoding="utf-8")
    refused = run(state, "import", str(file))
    assert refused.exit_code == 1
    assert "line 2: 'bob' has joined as Bob and stands here as Another Bob" in refused.stderr
    assert "Updated: bob" in run(state, "import", str(file), "--same-people").output


def test_the_list_shows_role_and_standing(state: StateFolder, file: Path) -> None:
    run(state, "import", str(file))
    output = run(state, "list").output
    assert "Ada [bold]Lovelace" in output
    assert "not invited" in output
    assert "trainer" in output
    assert "never" in output


def test_removing_asks_first_and_says_that_no_hub_runs(state: StateFolder, file: Path) -> None:
    run(state, "import", str(file))
    refused = run(state, "remove", "ada", answer="n\n")
    assert refused.exit_code == 1
    assert "ada (Ada [bold]Lovelace)" in refused.output
    done = run(state, "remove", "ada", "bob", "ada", answer="y\n")
    assert done.exit_code == 0
    assert "Removed: ada, bob" in done.output
    assert "No hub is running" in done.output
    assert [each["name"] for each in run_json(state, "list")["members"]] == ["tia"]


def test_one_unknown_name_removes_nobody(state: StateFolder, file: Path) -> None:
    run(state, "import", str(file))
    assert run(state, "remove", "ada", "eve", "--yes").exit_code == 1
    assert len(run_json(state, "list")["members"]) == 3


@pytest.mark.parametrize(
    "command", [["list"], ["invite", "--all"], ["revoke", "--all"], ["remove", "ada", "--yes"]]
)
def test_a_state_folder_without_a_cohort_is_named_and_not_made(
    state: StateFolder, command: list[str]
) -> None:
    result = run(state, *command)
    assert result.exit_code == 1
    assert "spoc cohort import" in result.output
    assert not state.root.exists()
