"""What a member's server is given, by role."""

from __future__ import annotations

from pathlib import Path

import pytest

from course.roster import Member, Role
from course.state import StateFolder
from graders.sandbox.policy import Bind, SandboxPolicy
from hub_config import member_server
from hub_config.member_server import TRAINERS_UID, home_inside, member_uid, server_policy
from hub_config.runtime import runtime_folder

pytestmark = pytest.mark.quick

STATE = StateFolder(Path("/srv/state"))


def member(role: Role, number: int = 7) -> Member:
    return Member(number, "ada", "Ada", "", role)


def policy(role: Role) -> SandboxPolicy:
    return server_policy(member(role), STATE, runtime_folder(STATE), 1 << 30)


def test_every_learner_has_a_uid_and_trainers_share_one() -> None:
    assert member_uid(member("learner", 1)) == TRAINERS_UID + 1
    assert member_uid(member("learner", 2)) == TRAINERS_UID + 2
    assert member_uid(member("trainer", 3)) == member_uid(member("admin", 4)) == TRAINERS_UID


def test_a_learner_can_write_the_own_home_alone() -> None:
    assert policy("learner").writable == (Bind(STATE.homes_dir / "ada", Path("/home/ada")),)


def test_a_trainer_can_write_the_course_directory_too() -> None:
    assert Bind(STATE.course_dir, Path("/home/ada/course")) in policy("trainer").writable


@pytest.mark.parametrize("role", ["learner", "trainer", "admin"])
def test_nobody_sees_state_secrets_or_answer_keys_of_the_source_tree(role: Role) -> None:
    given = policy(role)
    shown = {bind.source for bind in (*given.read_only, *given.writable)}
    for secret in (STATE.root, STATE.secrets_dir, STATE.homes_dir, STATE.hub_dir, STATE.submissions_dir):
        assert not any(secret.is_relative_to(source) for source in shown)
    modules_dir = Path(member_server.__file__).parent.parent / "course" / "modules"
    assert modules_dir in given.hidden


def test_an_operator_of_the_same_name_keeps_the_environment_in_view(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = (Bind(Path("/home/ada/spoc/.venv")),)
    monkeypatch.setattr(member_server, "python_environment", lambda *_packages: environment)
    assert home_inside("ada") == Path("/home/ada.course")
    assert home_inside("ad") == Path("/home/ad")


def test_socket_paths_are_short_and_in_lower_case() -> None:
    runtime = runtime_folder(StateFolder(Path("/A/very/long/Path" * 20)))
    path = str(runtime.server_socket("a" * 31))
    assert len(path) < 108
    assert path == path.lower()
