"""A fork server's children start warm, confined and apart, and all of a run ends with it."""

from __future__ import annotations

import ast
import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from course.errors import SandboxUnavailable
from graders.forkserver import launch
from graders.forkserver.channel import Channel, ChannelClosed
from graders.forkserver.parent import (
    ExitStatus,
    ForkClient,
    ForkedProcess,
    ProcessLimits,
    WarmEnvironment,
    WarmParent,
    attach,
)
from graders.sandbox.policy import MIB
from tests.waiting import wait_until

ASKED = Path(__file__).parent / "forked"
ROLES = {"cells": "asked"}
ENVIRONMENT = WarmEnvironment(imports=("numpy", "no_such_module"), paths=(ASKED,))


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmParent]:
    with WarmParent(ENVIRONMENT, roles=ROLES) as parent:
        yield parent


@pytest.fixture(scope="module")
def unsafe() -> Iterator[WarmParent]:
    with WarmParent(ENVIRONMENT, roles=ROLES, unsafe_no_sandbox=True) as parent:
        yield parent


def answer(channel: Channel, code: str, first: str = "") -> dict[str, Any]:
    channel.send({"code": code, "first": first}, timeout=90)
    return channel.receive(timeout=90).header


def asked(process: ForkedProcess | Channel, code: str, first: str = "") -> Any:
    """The value of an expression in the forked process, after the statements that come first."""
    told = answer(process.channel if isinstance(process, ForkedProcess) else process, code, first)
    if "value" not in told:
        pytest.fail(f"{told}")
    return ast.literal_eval(told["value"])


def snapshot(process: ForkedProcess) -> Channel:
    """A copy that the process makes of itself, which is asked by a channel of its own."""
    ours, theirs = socket.socketpair()
    with theirs:
        process.channel.send({"snapshot": True}, fds=[theirs.fileno()])
    process.channel.receive(timeout=90)
    return Channel(ours)


def running(word: str) -> list[int]:
    """The processes of this machine that have a word in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_a_child_has_what_was_imported_and_prepared_before(warm: WarmParent) -> None:
    with warm.fork("cells") as process:
        assert asked(process, "'numpy' in sys.modules", "import sys")
        assert asked(process, "STATE") == {"prepared": True}
        assert asked(process, "os.getcwd()") == "/home/learner"
        assert process.sandboxed
    assert [problem.split(":")[0] for problem in warm.problems] == ["no_such_module"]


def test_no_two_children_draw_the_same_random_numbers(warm: WarmParent) -> None:
    code, first = "(random.random(), float(np.random.random()))", "import random, numpy as np"
    with warm.fork("cells") as one, warm.fork("cells") as other:
        assert set(asked(one, code, first)).isdisjoint(asked(other, code, first))


WRITTEN = ("/home/learner/x", "/tmp/x", "/dev/shm/x")


def test_no_child_finds_what_another_wrote(warm: WarmParent) -> None:
    with warm.fork("cells") as other:
        with warm.fork("cells") as process:
            assert asked(process, f"[open(path, 'w').write('x') for path in {WRITTEN}]") == [1, 1, 1]
            assert not any(asked(other, f"[os.path.exists(path) for path in {WRITTEN}]"))
        with warm.fork("cells") as later:
            assert not any(asked(later, f"[os.path.exists(path) for path in {WRITTEN}]"))


def test_no_child_sees_or_reaches_another(warm: WarmParent) -> None:
    listening = (
        "import socket\nserver = socket.socket(socket.AF_UNIX); server.bind('\\0here'); server.listen()"
    )
    see = "sorted(name for name in os.listdir('/proc') if name.isdigit())"
    with warm.fork("cells") as one, warm.fork("cells") as other:
        assert asked(one, "globals().update(held=server)", listening) is None
        assert asked(one, see) == asked(other, see) == ["1", "2"]
        connect = "socket.socket(socket.AF_UNIX).connect('\\0here')"
        assert "ConnectionRefused" in answer(other.channel, connect, "import socket")["error"]
        assert asked(one, "os.listdir('/dev/pts')", "globals().update(pty=os.openpty())") == ["0", "ptmx"]
        assert asked(other, "os.listdir('/dev/pts')") == ["ptmx"]
        memory = "ctypes.CDLL(None).shmget(4711, 4096, {})"
        assert asked(one, memory.format("0o1666"), "import ctypes") >= 0
        assert asked(other, memory.format("0o666"), "import ctypes") == -1
    if os.geteuid() == 0:
        with warm.fork("cells") as one, warm.fork("cells") as other:
            assert asked(one, "os.getuid()") != asked(other, "os.getuid()")


def test_a_child_holds_nothing_but_its_channel(warm: WarmParent) -> None:
    links = "[os.readlink(f'/proc/self/fd/{name}') for name in ('0', '1', '2')]"
    with warm.fork("cells") as process:
        assert asked(process, links) == ["/dev/null"] * 3
        assert asked(process, "len(os.listdir('/proc/self/fd'))") == 5
        assert not asked(process, f"os.path.exists({str(warm.address)!r})")
        assert "Permission" in answer(process.channel, "open('/proc/1/environ').read()")["error"]


@pytest.mark.parametrize(
    "code",
    [
        "os.kill(1, 9) or os.kill(1, 19) or os.listdir('/proc/1/task')",
        "open('/proc/self/setgroups').read()",
    ],
)
def test_the_first_process_of_a_run_cannot_be_ended_from_inside(warm: WarmParent, code: str) -> None:
    with warm.fork("cells") as process:
        answer(process.channel, code)
        assert asked(process, "os.path.exists('/proc/1')")


@pytest.mark.parametrize(
    "code",
    [
        "open('/proc/1/mem', 'r+b')",
        "os.setuid(0)",
        "os.setgroups([0])",
        "os.chroot('/tmp')",
        "os.mkdir('/x')",
        "open('/usr/x', 'w')",
        "open('/home/x', 'w')",
        "open('/dev/x', 'w')",
        "open('/run/shared/x', 'w')",
        "open('/run/all-shared/x', 'w')",
        "open('/proc/sys/kernel/hostname', 'w').write('x')",
        "open('/etc/shadow')",
        "socket.create_connection(('127.0.0.1', 1))",
        "socket.create_connection(('192.0.2.1', 80), 2)",
        "socket.socket(socket.AF_VSOCK)",
        "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
        "os.mknod('/tmp/device', 0o20666, os.makedev(1, 1))",
        "resource.setrlimit(resource.RLIMIT_NOFILE, (9999, 9999))",
    ],
)
def test_a_child_is_refused(warm: WarmParent, code: str) -> None:
    with warm.fork("cells") as process:
        told = answer(process.channel, code, "import resource, socket")
        assert "Error" in told.get("error", ""), told


@pytest.mark.parametrize(
    "call",
    [
        "unshare(0x20000)",
        "unshare(0x10000000)",
        "setns(0, 0)",
        "syscall(56, 0x10000011, 0, 0, 0, 0)",
        "syscall(435, 0, 0)",
        "ptrace(0, 0, 0, 0)",
        "umount(b'/tmp')",
        "mount(b'x', b'/tmp', b'tmpfs', 0, None)",
    ],
)
def test_a_child_changes_no_namespace_and_looks_into_nothing(warm: WarmParent, call: str) -> None:
    first = f"import ctypes; libc = ctypes.CDLL(None, use_errno=True); result = libc.{call}"
    with warm.fork("cells") as process:
        result, number = asked(process, "(result, ctypes.get_errno())", first)
    assert (result, errno.errorcode[number]) in [(-1, "EPERM"), (-1, "ENOSYS")]


def test_no_privilege_is_left_in_a_process_or_its_snapshot(warm: WarmParent) -> None:
    lines = "open('/proc/self/status').read().splitlines()"
    with warm.fork("cells") as process, snapshot(process) as copy:
        for told in (asked(process, lines), asked(copy, lines)):
            status = dict(line.split(":\t") for line in told)
            for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                assert int(status[name], 16) == 0
            assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
            assert "0" not in status["Uid"].split()


def test_what_the_trial_finds_without_a_sandbox_is_what_it_looks_for(unsafe: WarmParent) -> None:
    with unsafe.start("trial", ProcessLimits()) as trial:
        marker, address = f"spoc-{os.getpid()}", f"{unsafe.address}"
        trial.channel.send({"secret": sys.executable, "marker": marker, "port": "1", "address": address})
        found = trial.channel.receive(timeout=90).header["found"]
    seen = " ".join(found)
    for escape in ("read the state folder", "reach the fork server", "see processes", "system call filter"):
        assert escape in seen


def test_a_fork_server_outside_of_a_sandbox_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "sandboxed", lambda command, _policy: command)
    with pytest.raises(SandboxUnavailable), WarmParent(ENVIRONMENT, roles=ROLES):
        pass


def test_a_library_that_starts_threads_is_refused() -> None:
    environment = WarmEnvironment(imports=("threaded",), paths=(ASKED,))
    with pytest.raises(SandboxUnavailable, match="1 threads"), WarmParent(environment, roles=ROLES):
        pass


@pytest.mark.parametrize(
    ("greedy", "limit"),
    [
        ("len(bytearray(1 << 30))", {"memory_bytes": 768 * MIB}),
        ("open('big', 'wb').write(bytes(2 << 20))", {"file_bytes": MIB}),
        ("[open(f'/tmp/{n}', 'wb').write(bytes(1 << 20)) for n in range(4)]", {"scratch_bytes": 2 * MIB}),
        ("len([os.dup(0) for n in range(200)])", {"open_files": 100}),
    ],
)
def test_a_child_ends_at_its_limit_and_at_nothing_else(
    warm: WarmParent, greedy: str, limit: dict[str, int]
) -> None:
    with warm.fork("cells", ProcessLimits(**limit)) as process:
        assert "Error" in answer(process.channel, greedy).get("error", "")
    with warm.fork("cells") as process:
        assert asked(process, greedy)


BOMB = """
count = 0
try:
    while True:
        if os.fork() == 0:
            import time; time.sleep(600)
        count += 1
except OSError:
    pass
"""


def test_a_fork_bomb_takes_nothing_from_others_and_ends_with_its_run(warm: WarmParent) -> None:
    with warm.fork("cells", ProcessLimits(processes=40)) as process, warm.fork("cells") as other:
        assert 0 < asked(process, "count", BOMB) < 40
        few = "[subprocess.run(['true']).returncode for _ in range(3)]"
        assert asked(other, few, "import subprocess") == [0, 0, 0]


def test_cpu_time_is_bounded(warm: WarmParent) -> None:
    with warm.fork("cells", ProcessLimits(cpu_seconds=1)) as process:
        process.channel.send({"code": "0", "first": "while True: pass"})
        assert process.wait(timeout=90).signal == signal.SIGXCPU


@pytest.mark.parametrize("name", ["warm", "unsafe"])
def test_how_a_process_ended_is_told(name: str, request: pytest.FixtureRequest) -> None:
    parent = request.getfixturevalue(name)
    for code, status in (("os._exit(7)", (7, None)), ("os.kill(os.getpid(), 9)", (None, 9))):
        with parent.fork("cells") as process:
            with pytest.raises(TimeoutError):
                process.wait(timeout=0)
            process.channel.send({"code": code})
            assert process.wait(timeout=90) == ExitStatus(*status)


@pytest.mark.parametrize("name", ["warm", "unsafe"])
def test_an_interrupt_reaches_the_process(name: str, request: pytest.FixtureRequest) -> None:
    with request.getfixturevalue(name).fork("cells") as process:
        first = "import time; channel.send({'sleeping': True}); time.sleep(600)"
        process.channel.send({"code": "1", "first": first})
        assert process.channel.receive(timeout=90).header == {"sleeping": True}
        process.interrupt()
        assert process.channel.receive(timeout=90).header == {"error": "KeyboardInterrupt()"}
        assert asked(process, "1 + 1") == 2


@pytest.mark.parametrize("name", ["warm", "unsafe"])
def test_a_snapshot_outlives_its_process_and_ends_with_the_run(
    name: str, request: pytest.FixtureRequest
) -> None:
    with request.getfixturevalue(name).fork("cells") as process:
        assert asked(process, "1", "STATE['before'] = 1") == 1
        copy = snapshot(process)
        process.channel.send({"code": "os._exit(0)", "first": ""})
        assert process.wait(timeout=90).code == 0
        assert asked(copy, "STATE['before']") == 1
        process.kill()
        with copy, pytest.raises(ChannelClosed):
            copy.receive(timeout=90)


def test_what_leaves_its_session_ends_with_the_run_too(unsafe: WarmParent) -> None:
    daemon = "if os.fork() == 0:\n    os.setsid()\n    if os.fork(): os._exit(0)\n    time.sleep(600)"
    with unsafe.fork("cells") as process:
        home = asked(process, "os.getcwd()", f"import time\n{daemon}")
        assert not process.sandboxed
    wait_until(lambda: not Path(home).exists())


def test_a_server_that_was_killed_is_started_again() -> None:
    roles = {**ROLES, f"killed-{os.getpid()}": "asked"}
    with WarmParent(ENVIRONMENT, roles=roles) as parent, parent.fork("cells") as process:
        for pid in running(f"killed-{os.getpid()}"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert process.wait(timeout=90) == ExitStatus(None, signal.SIGKILL)
        with parent.fork("cells") as another:
            assert asked(another, "1 + 1") == 2


def test_a_changed_environment_gets_another_server_and_what_runs_goes_on(tmp_path: Path) -> None:
    modules = tmp_path / "modules"
    shutil.copytree(ASKED, modules)
    (modules / "lesson.py").write_text("VALUE = 1\n")
    environment = WarmEnvironment(imports=("lesson",), paths=(modules,))
    with WarmParent(environment, roles=ROLES) as parent, parent.fork("cells") as process:
        (modules / "lesson.py").write_text("VALUE = 1 + 1\n")
        with parent.fork("cells") as another:
            assert asked(another, "lesson.VALUE", "import lesson") == 2
        assert asked(process, "lesson.VALUE", "import lesson") == 1


def test_several_processes_share_a_server(warm: WarmParent) -> None:
    code = (
        "import sys; from pathlib import Path; from graders.forkserver.parent import attach\n"
        "with attach(Path(sys.argv[1])).fork('cells') as process:\n"
        "    process.channel.send({'code': '6 * 7'})\n"
        "    print(process.channel.receive(30).header['value'])"
    )
    command = [sys.executable, "-c", code, str(warm.address)]
    others = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    clients: list[ForkClient] = [warm, attach(warm.address)]
    with ExitStack() as stack:
        processes = [stack.enter_context(client.fork("cells")) for client in clients for _ in range(3)]
        assert [asked(process, "6 * 7") for process in processes] == [42] * 6
    assert [other.communicate(timeout=120)[0] for other in others] == ["42\n"] * 2


def test_all_ends_when_the_owner_is_killed(tmp_path: Path) -> None:
    word = f"owned-{os.getpid()}"
    code = (
        "import sys, time; from pathlib import Path\n"
        "from graders.forkserver.parent import WarmEnvironment, WarmParent\n"
        "environment = WarmEnvironment(paths=(Path(sys.argv[1]),))\n"
        "warm = WarmParent(environment, roles={'cells': 'asked', sys.argv[2]: 'asked'})\n"
        "process = warm.fork('cells'); print(flush=True); time.sleep(600)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    owner = subprocess.Popen(
        [sys.executable, "-c", code, str(ASKED), word], stdout=subprocess.PIPE, env=environment
    )
    assert owner.stdout is not None
    owner.stdout.readline()
    assert len(running(word)) > 1
    owner.kill()
    owner.communicate()
    wait_until(lambda: not running(word))
