"""A policy becomes exactly the command it describes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from graders.sandbox import bubblewrap
from graders.sandbox.bubblewrap import sandboxed
from graders.sandbox.policy import Bind, SandboxPolicy, course_content, python_environment

pytestmark = pytest.mark.quick

WORK_DIR = Path("/srv/work")


def policy(**choices: object) -> SandboxPolicy:
    return SandboxPolicy(work_dir=WORK_DIR, scratch=(WORK_DIR,), **choices)  # type: ignore[arg-type]


@pytest.fixture
def by_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def by_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def contains(command: list[str], *part: str) -> bool:
    return any(tuple(command[start : start + len(part)]) == part for start in range(len(command)))


@pytest.mark.usefixtures("by_user")
def test_an_ordinary_users_sandbox_has_a_user_namespace_and_can_make_no_other() -> None:
    command = sandboxed(["true"], policy())
    assert contains(command, "--unshare-user", "--unshare-all", "--disable-userns", "--cap-drop", "ALL")
    assert bubblewrap.SETPRIV not in command


@pytest.mark.usefixtures("by_root")
def test_a_sandbox_that_root_starts_drops_to_its_own_uid_before_the_command() -> None:
    command = sandboxed(["true"], policy(uid=200_007))
    inside = command[command.index("--") :]
    assert contains(inside, bubblewrap.SETPRIV, "--reuid", "200007", "--regid", "200007", "--clear-groups")
    assert inside.index(bubblewrap.SETPRIV) < inside.index("true")
    assert "--unshare-user" not in command
    assert "--unshare-net" in command


def test_the_environment_is_replaced_before_bubblewrap_starts() -> None:
    command = sandboxed(["true"], policy(environment={"LANG": "C.UTF-8"}))
    assert command[:3] == [bubblewrap.ENV, "-i", "LANG=C.UTF-8"]


def test_secrets_can_stay_off_the_command_line() -> None:
    assert sandboxed(["true"], policy(environment=None))[0] == bubblewrap.SHELL


def test_a_writable_bind_lies_over_a_hidden_folder() -> None:
    command = sandboxed(["true"], policy(hidden=(Path("/opt/x"),), writable=(Bind(Path("/opt/x/own")),)))
    assert command.index("/opt/x") < command.index("/opt/x/own")


def test_limits_are_set_inside_and_none_means_no_limit() -> None:
    command = sandboxed(["true"], policy(memory_bytes=None, cpu_seconds=7, processes=99))
    limits = command[command.index(bubblewrap.PRLIMIT) :]
    assert {"--cpu=7", "--nproc=99", "--core=0"} < set(limits)
    assert not any(part.startswith("--as=") for part in limits)
    assert command.index("--seccomp") < command.index(bubblewrap.PRLIMIT)


def test_only_a_sandbox_that_may_outlive_its_caller_keeps_the_shell() -> None:
    kept = sandboxed(["true"], policy(outlives_caller=True))
    assert bubblewrap.KEEP_SHELL in kept
    assert "--die-with-parent" in kept
    assert bubblewrap.REPLACE_SHELL in sandboxed(["true"], policy())


def test_the_source_tree_shows_only_the_named_packages() -> None:
    shown = {bind.source for bind in python_environment("course")}
    source_dir = Path(bubblewrap.__file__).parent.parent.parent
    assert source_dir / "course" in shown
    assert source_dir not in shown
    assert source_dir / "graders" not in shown


def test_answer_keys_of_a_source_tree_are_named_for_hiding() -> None:
    assert all(folder.name == "modules" and folder.is_dir() for folder in course_content())


@pytest.mark.usefixtures("by_user")
def test_an_ordinary_users_fork_server_keeps_what_it_confines_children_with() -> None:
    command = sandboxed(["true"], policy(confines_children=True))
    assert contains(
        command, "--unshare-user", "--unshare-all", "--uid", "0", "--gid", "0", "--cap-drop", "ALL"
    )
    assert contains(command, "--cap-add", "CAP_SYS_ADMIN")
    assert "--seccomp" not in command
    assert "CAP_SYS_ADMIN" not in sandboxed(["true"], policy())


@pytest.mark.usefixtures("by_root")
def test_roots_fork_server_stays_root_without_the_capabilities_to_read_what_it_may_not() -> None:
    command = sandboxed(["true"], policy(confines_children=True))
    assert bubblewrap.SETPRIV not in command
    kept = {command[at + 1] for at, part in enumerate(command) if part == "--cap-add"}
    assert kept == {f"CAP_{name}" for name in bubblewrap.CONFINING}
    assert not kept & {"CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", "CAP_SETFCAP"}
