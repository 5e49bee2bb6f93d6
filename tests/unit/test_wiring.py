"""The hub's configuration says what the settings say, and opens nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from traitlets.config import Config

from course.state import StateFolder
from hub_config import wiring
from hub_config.proxy import proxy_command
from hub_config.settings import Settings

pytestmark = pytest.mark.quick


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


@pytest.fixture
def c(state: StateFolder) -> Config:
    config = Config()
    wiring.configure(config, Settings(port=8123, idle_minutes=7), state)
    return config


def services(c: Config) -> dict[str, dict[str, object]]:
    return {service["name"]: service for service in c.JupyterHub.services}


def scopes(c: Config, role: str) -> set[str]:
    (found,) = [each for each in c.JupyterHub.load_roles if each["name"] == role]
    return set(found["scopes"])


def test_only_the_proxy_is_on_the_network_and_only_on_loopback(c: Config) -> None:
    assert c.JupyterHub.bind_url == "http://127.0.0.1:8123"
    for url in (c.JupyterHub.hub_bind_url, c.JupyterHub.hub_connect_url, c.ConfigurableHTTPProxy.api_url):
        assert url.startswith("http+unix://")
    assert str(services(c)["course"]["url"]).startswith("http://127.0.0.1:")


def test_a_learner_may_use_the_course_service_and_no_more(c: Config) -> None:
    assert scopes(c, "learner") == {"access:services!service=course"}


def test_a_sponsor_may_ask_the_course_service_and_no_more(c: Config) -> None:
    assert scopes(c, "sponsor") == {"access:services!service=course"}


def test_a_trainer_sees_who_learns_but_opens_no_server_and_administers_nothing(c: Config) -> None:
    assert scopes(c, "trainer") == {
        "access:services!service=course",
        "list:users!group=learner",
        "read:users!group=learner",
    }


def test_a_servers_token_is_for_its_own_server_and_the_course_service(c: Config) -> None:
    assert set(c.Spawner.server_token_scopes) == {
        "users:activity!user",
        "access:servers!server",
        "access:services!service=course",
    }


@pytest.mark.parametrize(("url", "secure"), [("https://course.example.org", True), ("", False)])
def test_every_cookie_is_secure_where_members_come_by_https_and_strict_to_other_sites(
    state: StateFolder, url: str, secure: bool
) -> None:
    c = Config()
    wiring.configure(c, Settings(public_url=url), state)
    options = c.JupyterHub.tornado_settings["cookie_options"]
    assert options == {"samesite": "Lax"} | ({"secure": True} if secure else {})
    environment = services(c)["course"]["environment"]
    assert json.loads(environment["JUPYTERHUB_COOKIE_OPTIONS"]) == options  # type: ignore[index]


def test_every_service_ends_with_the_hub(c: Config) -> None:
    managed = [service["command"] for service in services(c).values() if "command" in service]
    for command in (*managed, c.ConfigurableHTTPProxy.command):
        assert command[1:3] == ["--pdeathsig", "TERM"]


def test_idle_servers_stop_after_the_settings_minutes(c: Config) -> None:
    assert "--timeout=420" in services(c)["culler"]["command"]  # type: ignore[operator]


def test_secrets_stay_the_same_from_start_to_start_and_for_the_owner_alone(
    c: Config, state: StateFolder
) -> None:
    again = Config()
    wiring.configure(again, Settings(port=8123), state)
    assert again.JupyterHub.cookie_secret == c.JupyterHub.cookie_secret
    assert again.ConfigurableHTTPProxy.auth_token == c.ConfigurableHTTPProxy.auth_token
    assert len(c.JupyterHub.cookie_secret) == 32
    assert state.secrets_dir.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in state.secrets_dir.iterdir()} == {0o600}


def test_no_secret_is_in_a_command_line(c: Config, state: StateFolder) -> None:
    secrets = [path.read_text().strip() for path in state.secrets_dir.iterdir()]
    commands = " ".join(" ".join(service.get("command", [])) for service in services(c).values())  # type: ignore[arg-type]
    assert not [secret for secret in secrets if secret in commands]


def test_the_proxy_is_nodes_real_binary_so_that_ending_it_ends_it() -> None:
    with Path(proxy_command()[0]).open("rb") as program:
        assert program.read(4) == b"\x7fELF"
