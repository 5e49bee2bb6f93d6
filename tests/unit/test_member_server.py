"""What a member's server is given, by role."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from course.roster import Member, Role
from course.state import StateFolder
from graders.sandbox.policy import Bind, SandboxPolicy
from hub_config import member_server
from hub_config.member_server import TRAINERS_UID, home_inside, member_uid, prepare_folders, server_policy
from hub_config.runtime import RuntimeFolder, runtime_folder

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


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def prepare(role: Role, folder: Path) -> Path:
    """Prepare for a start of ada's server; return her home."""
    state, runtime = StateFolder(folder), RuntimeFolder(folder / "runtime")
    for needed in (runtime.account_dir("ada").parent, state.course_dir):
        needed.mkdir(parents=True, exist_ok=True)
    prepare_folders(member(role), state, runtime)
    return state.homes_dir / "ada"


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in (folder, *folder.rglob("*"))}


@needs_root
def test_a_home_goes_to_its_owner_and_follows_another_role_but_links_are_not_followed(tmp_path: Path) -> None:
    home = prepare("learner", tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("root's")
    (home / "work").mkdir()
    (home / "work" / "notes.txt").write_text("mine")
    (home / "work" / "link").symlink_to(elsewhere)
    os.chown(home, 0, 0)
    prepare("learner", tmp_path)
    assert owners(home) == {TRAINERS_UID + 7}
    prepare("trainer", tmp_path)
    assert owners(home / "work") == {TRAINERS_UID}
    assert elsewhere.stat().st_uid == 0


@needs_root
def test_what_root_put_into_the_course_directory_is_the_trainers_at_the_next_start(tmp_path: Path) -> None:
    prepare("trainer", tmp_path)
    course_dir = StateFolder(tmp_path).course_dir
    (course_dir / "source").mkdir()
    prepare("trainer", tmp_path)
    assert owners(course_dir) == {TRAINERS_UID}


@needs_root
def test_a_home_of_folders_in_folders_is_handed_over_and_then_left_alone(tmp_path: Path) -> None:
    home = prepare("learner", tmp_path)
    script = "for n in range(1200): os.mkdir('d'); os.chdir('d')"
    subprocess.run([sys.executable, "-c", f"import os\n{script}"], cwd=home, check=True)
    prepare("learner", tmp_path)
    assert (home / "d").stat().st_uid == 0
    os.chown(home, 0, 0)
    prepare("learner", tmp_path)
    assert (home / "d" / "d").stat().st_uid == home.stat().st_uid == TRAINERS_UID + 7
    # Python, and so pytest, could not remove them.
    subprocess.run(["/usr/bin/rm", "-r", home / "d"], check=True)


def test_socket_paths_are_short_and_in_lower_case() -> None:
    runtime = runtime_folder(StateFolder(Path("/A/very/long/Path" * 20)))
    path = str(runtime.server_socket("a" * 31))
    assert len(path) < 108
    assert path == path.lower()
