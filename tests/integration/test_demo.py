"""The demo and the hub in the foreground: one at a time, kept for tomorrow, and gone after Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from course.database import Database
from course.invitations import Invitations
from course.state import StateFolder
from hub_config.passwords import Passwords
from hub_config.runtime import free_port, runtime_folder
from hub_config.settings import read_settings, settings_path
from tests.course_hub import PASSWORD
from tests.roster_hub import USER_AGENT, join, sign_in
from tests.waiting import wait_until

pytestmark = [pytest.mark.hub, pytest.mark.timeout(600)]

SPOC = str(Path(sys.executable).with_name("spoc"))
LINK = re.compile(r"http://\S+/hub/invitation\?token=\S+")


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """Nothing yet."""
    return StateFolder(tmp_path / "state")


@pytest.fixture
def joined(demo_state: StateFolder, state: StateFolder) -> StateFolder:
    """The demo after a day on which ada has set her password."""
    shutil.copytree(demo_state.root, state.root)
    now, password_hash = datetime.now(UTC), asyncio.run(Passwords().hash(PASSWORD))
    with closing(Database(state.database_url)) as database:
        invitations = Invitations(database)
        invitations.redeem(invitations.issue("ada", now), password_hash, now)
    return state


@contextmanager
def foreground(state: StateFolder, *command: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run `spoc` until it says how to stop it; give the process and what it printed. Ended by Ctrl-C."""
    output = state.root.parent / "output.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [SPOC, *command, "--state-dir", str(state.root)], stdout=file, stderr=subprocess.STDOUT
        )
    try:
        wait_until(lambda: "Ctrl-C stops" in output.read_text() or process.poll() is not None, 120)
        assert process.poll() is None, output.read_text()
        yield process, output
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(60)


def refused(state: StateFolder, *command: str) -> str:
    ended = subprocess.run(
        [SPOC, *command, "--state-dir", str(state.root)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1, ended.stdout
    assert "Traceback" not in ended.stderr
    return ended.stderr


def processes_of(state: StateFolder) -> list[str]:
    """Return the command lines of every process that names this deployment's folders."""
    folders = (str(state.root), str(runtime_folder(state).root))
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text(errors="replace").replace("\0", " ")
            environment = (process / "environ").read_text(errors="replace")
        except OSError:
            continue
        mine = int(process.name) == os.getpid()
        if not mine and any(folder in command or folder in environment for folder in folders):
            found.append(command)
    return found


def browser(port: int) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers=USER_AGENT, follow_redirects=True, timeout=60
    )


def has_lab(ada: httpx.Client) -> bool:
    page = ada.get("/user/ada/lab")
    return page.status_code == 200 and page.url.path == "/user/ada/lab"


def test_the_demo_is_kept_moves_to_a_free_port_and_ends_with_all_it_started(state: StateFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with foreground(state, "demo", "--port", str(port)) as (process, output):
            links = LINK.findall(output.read_text())
            assert len(links) == 4
            assert f"Port {port} is taken" in output.read_text()
            found = re.search(r"127\.0\.0\.1:(\d+)/hub/invitation", links[0])
            assert found
            with browser(int(found[1])) as ada:
                assert join(ada, links[0], PASSWORD).status_code == 302
                ada.get("/hub/spawn")
                wait_until(lambda: has_lab(ada), 120)
            assert "already runs" in refused(state, "demo")
            assert "already runs" in refused(state, "serve")
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
    assert processes_of(state) == []
    assert not runtime_folder(state).root.exists()


def test_the_next_start_finds_who_has_a_password(joined: StateFolder) -> None:
    port = free_port()
    with foreground(joined, "demo", "--port", str(port)) as (process, output):
        assert len(LINK.findall(output.read_text())) == 3
        assert "user name ada" in output.read_text()
        with browser(port) as ada:
            assert sign_in(ada, "ada", PASSWORD).status_code == 302
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert processes_of(joined) == []


def test_serve_refuses_a_taken_port_with_the_way_out(state: StateFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        message = refused(state, "serve", "--port", str(taken.getsockname()[1]))
    assert "is taken by another program" in message
    assert "--port" in message


def test_the_settings_change_only_when_a_hub_starts_that_was_told_something_else(state: StateFolder) -> None:
    port, other = free_port(), free_port()
    written = f"# Ask IT before you change it.\nport: {port}\n"
    state.root.mkdir()
    settings_path(state).write_text(written)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused(state, "serve", "--port", str(taken.getsockname()[1]))
    with foreground(state, "serve", "--port", str(port)):
        refused(state, "serve", "--port", str(other))
        assert settings_path(state).read_text() == written
    with foreground(state, "serve", "--port", str(other)):
        assert read_settings(state).port == other


def test_a_server_outlives_a_killed_hub_and_the_next_hub_takes_it_over(joined: StateFolder) -> None:
    port = free_port()
    with foreground(joined, "serve", "--port", str(port)) as (process, _), browser(port) as ada:
        assert sign_in(ada, "ada", PASSWORD).status_code == 302
        ada.get("/hub/spawn")
        wait_until(lambda: has_lab(ada), 120)
        (hub_pid,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(hub_pid), signal.SIGKILL)
        assert process.wait(60) == 1
    wait_until(lambda: all("extensions.server" in command for command in processes_of(joined)), 30)
    assert processes_of(joined)
    with foreground(joined, "serve", "--port", str(port)), browser(port) as ada:
        assert sign_in(ada, "ada", PASSWORD).status_code == 302
        assert has_lab(ada)
    assert processes_of(joined) == []
