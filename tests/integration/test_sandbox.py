"""The sandbox of this machine holds, and the self-test would see it if it did not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from course.errors import SandboxUnavailable
from graders.sandbox import selftest
from graders.sandbox.bubblewrap import sandboxed
from graders.sandbox.policy import MIB, Bind, SandboxPolicy, course_content, python_environment
from tests.waiting import wait_until

WORK_DIR = Path("/srv/work")
PATH_ONLY = {"PATH": "/usr/bin:/bin"}


def policy(**choices: object) -> SandboxPolicy:
    chosen = {"environment": PATH_ONLY, **choices}
    return SandboxPolicy(work_dir=WORK_DIR, scratch=(WORK_DIR,), **chosen)  # type: ignore[arg-type]


def run(command: list[str], within: SandboxPolicy) -> subprocess.CompletedProcess[str]:
    return subprocess.run(sandboxed(command, within), capture_output=True, text=True, timeout=60, check=False)


def python(code: str, within: SandboxPolicy) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, "-c", code], within)


def test_nothing_gets_out_of_the_sandbox() -> None:
    selftest.check_sandbox()


def test_the_self_test_sees_what_is_open_without_a_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "sandboxed", lambda command, _policy: list(command))
    with pytest.raises(SandboxUnavailable, match="read the state folder") as refused:
        selftest.check_sandbox()
    for escape in ("reach a server", "abstract socket", "see processes", "system call filter"):
        assert escape in refused.value.problem


def test_a_sandbox_that_does_not_start_is_refused_with_a_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = [sys.executable, "-c", "raise SystemExit('bwrap: Creating new namespace failed')"]
    monkeypatch.setattr(selftest, "sandboxed", lambda _command, _policy: failing)
    with pytest.raises(SandboxUnavailable, match="namespace failed") as refused:
        selftest.check_sandbox()
    assert refused.value.next_step


def test_a_machine_that_forbids_namespaces_is_refused_with_a_cure() -> None:
    # The inside of a sandbox is such a machine.
    within = policy(read_only=python_environment("course", "graders"))
    ended = python("from graders.sandbox.selftest import check_sandbox; check_sandbox()", within)
    assert "SandboxUnavailable: The sandbox does not start: bwrap:" in ended.stderr
    assert "namespaces" in ended.stderr.splitlines()[-1]


def test_course_and_extensions_load_but_answer_keys_and_graders_are_not_there() -> None:
    code = (
        "import course, extensions, importlib.util, json, os;"
        "modules = os.path.join(course.__path__[0], 'modules');"
        "print(json.dumps([os.path.exists(modules) and os.listdir(modules),"
        " importlib.util.find_spec('graders'), importlib.util.find_spec('hub_config')]))"
    )
    ended = python(
        code, policy(read_only=python_environment("course", "extensions"), hidden=course_content())
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == [[], None, None]


@pytest.mark.parametrize(
    ("greedy", "limit"),
    [
        ("open('/srv/work/big', 'wb').write(bytes(2 << 20))", {"file_bytes": MIB}),
        (
            "[open(f'/tmp/{n}', 'wb').write(bytes(1 << 20)) for n in range(4)]",
            {"scratch_bytes": 2 * MIB},
        ),
        ("bytearray(1 << 30)", {"memory_bytes": 512 * MIB}),
        ("opened = [open('/dev/null') for n in range(200)]", {"open_files": 100}),
    ],
)
def test_a_process_ends_at_its_limit_and_at_nothing_else(greedy: str, limit: dict[str, int]) -> None:
    within = python_environment()
    assert python(greedy, policy(read_only=within, **limit)).returncode != 0
    assert python(greedy, policy(read_only=within)).returncode == 0


@pytest.mark.parametrize(
    "call", ["inotify_init1(0)", "fcntl(0, 1024, 2)", "fcntl(0, 1026, 1)", "fcntl(0, 1036, 0)"]
)
def test_no_sandbox_hears_of_what_others_open(call: str) -> None:
    code = f"import ctypes; libc = ctypes.CDLL(None, use_errno=True); print(libc.{call}, ctypes.get_errno())"
    assert python(code, policy(read_only=python_environment())).stdout == "-1 1\n"


@pytest.mark.parametrize("locks_files", [True, False])
def test_a_lock_on_a_shared_file_is_for_those_who_know_no_secret(locks_files: bool) -> None:
    code = (
        "import fcntl, os\n"
        "file = open('/usr/bin/env', 'rb')\n"
        "fcntl.lockf(file, fcntl.LOCK_SH)\n"
        "print(f':{os.fstat(file.fileno()).st_ino} ' in open('/proc/locks').read())"
    )
    ran = python(code, policy(read_only=python_environment(), locks_files=locks_files))
    assert ran.stdout == f"{locks_files}\n"


def test_no_sandbox_tells_another_by_what_it_has_read() -> None:
    """What is in the machine's memory of files, somebody has read; what was dropped, somebody has dropped."""
    code = (
        "import ctypes, os\n"
        "file = os.open('/usr/bin/env', os.O_RDONLY)\n"
        "assert os.read(file, 8)\n"
        "os.posix_fadvise(file, 0, 0, os.POSIX_FADV_WILLNEED)\n"
        "os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)\n"
        "try: print(os.preadv(file, [bytearray(8)], 0, os.RWF_NOWAIT))\n"
        "except OSError as error: print(error.strerror)\n"
        "print(os.preadv(file, [bytearray(8)], 0, os.RWF_HIPRI))\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "print(libc.mincore(0, 4096, 0), os.strerror(ctypes.get_errno()))\n"
        "print(libc.syscall(451, file, 0, 0, 0), os.strerror(ctypes.get_errno()))"
    )
    ran = python(code, policy(read_only=python_environment()))
    assert ran.stdout.splitlines() == [
        "Operation not supported",
        "8",
        "-1 Function not implemented",
        "-1 Function not implemented",
    ], ran.stderr


def test_a_fork_bomb_stays_within_its_sandbox() -> None:
    code = (
        "import os, time\n"
        "count = 0\n"
        "try:\n"
        "    while os.fork(): count += 1\n"
        "    time.sleep(60)\n"
        "except OSError: print(count)\n"
    )
    ended = python(code, policy(read_only=python_environment(), processes=40))
    assert 0 < int(ended.stdout) < 40


def test_the_environment_of_who_starts_it_does_not_get_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HUB", "x")
    ended = run(["cat", "/proc/self/environ"], policy())
    assert "SECRET_OF_THE_HUB" not in ended.stdout


def test_a_writable_bind_is_writable_and_all_else_is_not(tmp_path: Path) -> None:
    own, shown = tmp_path / "own", tmp_path / "shown"
    for folder in (own, shown):
        folder.mkdir()
    within = policy(writable=(Bind(own, Path("/home/ada")),), read_only=(Bind(shown, Path("/srv/release")),))
    if os.geteuid() == 0:
        os.chown(own, within.uid, within.uid)
    assert run(["touch", "/home/ada/note"], within).returncode == 0
    assert (own / "note").exists()
    for place in ("/srv/release/x", "/usr/x", "/etc/x", f"{tmp_path}/x"):
        assert run(["touch", place], within).returncode != 0, place


@pytest.mark.parametrize("outlives_caller", [False, True])
def test_killing_its_first_process_ends_all_within(tmp_path: Path, outlives_caller: bool) -> None:
    own = tmp_path / "own"
    own.mkdir()
    within = policy(writable=(Bind(own, Path("/home/ada")),), outlives_caller=outlives_caller)
    if os.geteuid() == 0:
        os.chown(own, within.uid, within.uid)
    code = "setsid sh -c 'while :; do date +%N > /home/ada/alive; sleep 0.05; done' & wait"
    with subprocess.Popen(sandboxed(["sh", "-c", code], within), start_new_session=True) as process:
        wait_until((own / "alive").exists)
        process.send_signal(signal.SIGKILL)
    heartbeat = own / "alive"
    wait_until(lambda: not _beats(heartbeat))


def _beats(heartbeat: Path) -> bool:
    before = heartbeat.read_text()
    try:
        wait_until(lambda: heartbeat.read_text() != before, seconds=0.5)
    except TimeoutError:
        return False
    return True
