"""Members who leave, or change roles, while the hub runs: out at once, and the neighbour notices nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from course.database import Database
from course.invitations import Invitations
from course.roster import Roster
from course.state import StateFolder
from hub_config.cli import spoc
from hub_config.hub_process import log_path
from hub_config.runtime import free_port, runtime_folder
from hub_config.secrets import hub_client
from hub_config.settings import Settings, read_settings, write_settings
from tests.roster_hub import USER_AGENT, join, sign_in
from tests.waiting import wait_until

pytestmark = pytest.mark.hub

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    folder = tmp_path_factory.mktemp("deployment")
    state = StateFolder(folder / "state")
    state.root.mkdir(mode=0o700)
    write_settings(state, Settings(port=free_port()))
    roster = folder / "roster.csv"
    roster.write_text(
        "username,name,role\nada,Ada,\nbob,Bob,\ngus,Gus,\nrae,Rae,\ntia,Tia,trainer\n", encoding="utf-8"
    )
    database = Database(state.database_url)
    Roster(database).import_csv(roster)
    database.close()
    return state


@pytest.fixture(scope="module")
def url(state: StateFolder) -> Iterator[str]:
    address = read_settings(state).url
    command = [sys.executable, "-P", "-m", "hub_config.cli", "serve", "--state-dir", str(state.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any(address in line for line in process.stdout), "the hub did not start"
        yield address
        process.send_signal(signal.SIGINT)


def arrived(state: StateFolder, url: str, name: str) -> httpx.Client:
    """Return the browser of a member who joined and whose server runs."""
    database = Database(state.database_url)
    token = Invitations(database).issue(name, datetime.now(UTC))
    database.close()
    browser = httpx.Client(base_url=url, headers=USER_AGENT, follow_redirects=True, timeout=60)
    assert join(browser, f"{url}/hub/invitation?token={token}", PASSWORD).status_code == 302
    assert token not in log_path(state).read_text(encoding="utf-8")
    start_server(browser, name)
    return browser


def start_server(browser: httpx.Client, name: str) -> None:
    """Start the server of a signed-in member and go there."""
    browser.get("/hub/spawn")
    wait_until(lambda: browser.get(f"/user/{name}/lab").url.path.startswith(f"/user/{name}/"), seconds=90)
    assert browser.get(f"/user/{name}/api/status").status_code == 200


def test_a_removed_member_loses_server_and_session_and_nobody_else_does(state: StateFolder, url: str) -> None:
    with closing(arrived(state, url, "ada")) as ada, closing(arrived(state, url, "bob")) as bob:
        result = CliRunner().invoke(
            spoc, ["cohort", "remove", "ada", "--yes", "--json", "--state-dir", str(state.root)]
        )
        assert json.loads(result.stdout) == {"removed": ["ada"], "hub": "out"}
        assert ada.get("/user/ada/api/status", follow_redirects=False).status_code != 200
        assert ada.get("/hub/home", follow_redirects=False).status_code == 302
        assert sign_in(ada, "ada", PASSWORD).status_code == 403
        assert not runtime_folder(state).server_socket("ada").exists()
        assert not servers_of(state, "ada")
        assert bob.get("/user/bob/api/status").status_code == 200
        assert servers_of(state, "bob")


def test_a_new_role_ends_what_is_open_and_the_next_server_has_that_roles_folders(
    state: StateFolder, url: str, tmp_path: Path
) -> None:
    roster = tmp_path / "roster.csv"
    with closing(arrived(state, url, "tia")) as tia:
        assert sees_course_dir(state, "tia")
        roster.write_text("username,name,role\ntia,Tia,learner\n", encoding="utf-8")
        result = CliRunner().invoke(
            spoc, ["cohort", "import", str(roster), "--json", "--state-dir", str(state.root)]
        )
        change = json.loads(result.stdout)
        assert (change["role_changed"], change["hub"]) == (["tia"], "out")
        assert not servers_of(state, "tia")
        assert tia.get("/hub/home", follow_redirects=False).status_code == 302
        assert sign_in(tia, "tia", PASSWORD).status_code == 302
        start_server(tia, "tia")
        assert not sees_course_dir(state, "tia")

        # Without the command, the hub itself ends it with the next request.
        roster.write_text("username,name,role\ntia,Tia,trainer\n", encoding="utf-8")
        with closing(Database(state.database_url)) as database:
            Roster(database).import_csv(roster)
        wait_until(lambda: tia.get("/hub/home", follow_redirects=False).status_code == 302, seconds=3)
        wait_until(lambda: not servers_of(state, "tia"))


@pytest.mark.parametrize("leaving", ["past the last day", "removed"])
def test_who_is_out_loses_server_and_tokens_without_any_command_or_request(
    state: StateFolder, url: str, tmp_path: Path, leaving: str
) -> None:
    name = "gus" if leaving == "past the last day" else "rae"
    with closing(arrived(state, url, name)) as guest, closing(arrived(state, url, "bob")) as bob:
        xsrf = {"X-XSRFToken": guest.cookies.get("_xsrf", path="/hub/") or ""}
        made = guest.post(f"/hub/api/users/{name}/tokens", json={"note": "mine"}, headers=xsrf)
        bearer = {"Authorization": f"token {made.raise_for_status().json()['token']}"}
        assert httpx.get(f"{url}/hub/api/user", headers=bearer).status_code == 200
        with closing(Database(state.database_url)) as database:
            if leaving == "removed":
                Roster(database).remove(name)
            else:
                roster = tmp_path / "roster.csv"
                roster.write_text(
                    f"username,name,until\n{name},{name.title()},2026-01-31\n", encoding="utf-8"
                )
                Roster(database).import_csv(roster)
        wait_until(lambda: not servers_of(state, name), seconds=60)
        with hub_client(state) as hub:
            wait_until(lambda: hub.get(f"users/{name}").status_code == 404, seconds=10)
        assert httpx.get(f"{url}/hub/api/user", headers=bearer).status_code == 403
        assert guest.get("/hub/home", follow_redirects=False).status_code == 302
        assert sign_in(guest, name, PASSWORD).status_code == 403
        assert bob.get("/user/bob/api/status").status_code == 200


def sees_course_dir(state: StateFolder, name: str) -> bool:
    """Return whether the course directory is bound into the sandbox of the member's server."""
    (server, *_) = servers_of(state, name)
    return str(state.course_dir).encode() in (server / "cmdline").read_bytes().split(b"\0")


def servers_of(state: StateFolder, name: str) -> list[Path]:
    """Return the processes that have the member's home bound into their sandbox."""
    home = str(state.homes_dir / name).encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if home in command:
            found.append(process)
    return found
