"""A forked process gets at nothing of the machine, of its fork server, or of another run.

Each attack runs in a process of its own, with an honest neighbour beside it. test_ordinary_user.py runs this
page for one more user, whose sandbox is another one.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from graders.forkserver.confinement import ALL_SHARED, SCRATCH, SHARED
from graders.forkserver.parent import ForkedProcess, WarmParent
from graders.sandbox.policy import FORKED_UIDS
from tests.attacks.intruder import ENVIRONMENT, ROLES, SECRET_OF_THE_HUB, Host, ask


@pytest.fixture(autouse=True)
def _zoe_goes_on(zoe: ForkedProcess) -> Iterator[None]:
    yield
    assert ask(zoe, "files.left_files") == []


def test_no_file_of_the_machine_is_there(mallory: ForkedProcess, host: Host) -> None:
    assert ask(mallory, "files.read", path=str(host.secret)) is None
    assert ask(mallory, "files.read_around", path=str(host.secret)) == []
    assert ask(mallory, "files.find", name=host.secret.name) == []
    assert ask(mallory, "files.read", path="/etc/shadow") is None
    assert ask(mallory, "files.read", path="/proc/self/root/root/.ssh/id_rsa") is None


def test_no_home_no_state_and_no_answer_key_is_there(mallory: ForkedProcess) -> None:
    assert ask(mallory, "files.folders_within", folder="/home") == ["learner"]
    environment = {part for path in (sys.prefix, sys.base_prefix, __file__) for part in Path(path).parts}
    for folder in ("/root", "/var", "/run", "/srv", "/mnt", "/opt", str(Path(__file__).parents[2])):
        shown = set(ask(mallory, "files.folders_within", folder=folder) or ())
        assert shown <= environment | {
            "course",
            "extensions",
            "graders",
            "modules",
            "shared",
            "all-shared",
        }, folder
    for folder in (SHARED, ALL_SHARED):
        assert ask(mallory, "files.folders_within", folder=folder) == []
    import course

    modules = Path(course.__file__).parent / "modules"
    assert not ask(mallory, "files.folders_within", folder=str(modules))
    assert ask(mallory, "files.read", path=str(modules / "course.yaml")) is None
    assert ask(mallory, "files.read", path=__file__) is None


def test_nothing_can_be_written_but_its_own_folders(mallory: ForkedProcess) -> None:
    assert ask(mallory, "files.writable_folders") == []
    assert ask(mallory, "files.writable_settings") == []
    names = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "pts/ptmx")
    devices = {f"/dev/{name}" for name in names}
    assert set(ask(mallory, "files.writable_mounts")) <= {*SCRATCH, *devices}
    assert set(ask(mallory, "files.writable_devices")) <= devices


def test_no_device_of_the_machine_can_be_opened_or_made(mallory: ForkedProcess) -> None:
    assert not ask(mallory, "files.make_device", path="/tmp/mem")
    assert not ask(mallory, "files.make_device", path="/dev/mem")
    assert not ask(mallory, "files.map_memory_of_the_machine")
    assert not ask(mallory, "privileges.push_into_terminal")


def test_nothing_of_an_earlier_run_is_there(warm: WarmParent, host: Host) -> None:
    # The word comes in two parts, and backwards: it is nowhere in the memory of who looks for it.
    word = f"left-{host.word[::-1]}-behind"
    with warm.fork("cells") as earlier:
        assert len(ask(earlier, "files.leave_files", word=word)) == len(SCRATCH)
        assert len(ask(earlier, "files.left_files")) == 1 + len(SCRATCH)
        assert ask(earlier, "files.memory_holds", first=word[:12], second=word[12:])
    with warm.fork("cells") as process:
        assert ask(process, "files.left_files") == []
        assert ask(process, "files.memory_holds", first=word[:12], second=word[12:]) == []


def test_its_memory_holds_nothing_of_who_started_the_fork_server(mallory: ForkedProcess, host: Host) -> None:
    assert os.environ[SECRET_OF_THE_HUB] == host.word
    assert ask(mallory, "files.memory_holds", first=host.word[:12], second=host.word[12:]) == []
    assert host.word not in ask(mallory, "processes.environments")


def test_it_shares_no_memory_and_no_open_file_with_another_run(
    mallory: ForkedProcess, zoe: ForkedProcess
) -> None:
    assert ask(mallory, "files.shared_memory") == []
    opened = ask(mallory, "files.descriptors")
    assert len(opened) == 4
    assert sorted(opened.values())[:3] == ["/dev/null"] * 3
    assert sum(target.startswith("socket:") for target in opened.values()) == 1
    # One open file that two processes inherit has one set of flags: enough to tell the other one something.
    for number in range(3):
        ask(mallory, "files.mark_descriptor", number=number)
        assert not ask(zoe, "files.descriptor_is_marked", number=number)


def test_no_mark_can_be_left_on_a_file_that_all_runs_see(mallory: ForkedProcess) -> None:
    for way in ("lock", "lock_range", "lease", "hint", "watch"):
        assert not ask(mallory, f"files.{way}", path="/usr/bin/env"), way


def test_no_process_but_its_own_is_there(mallory: ForkedProcess, zoe: ForkedProcess) -> None:
    assert ask(mallory, "processes.seen") == [1, 2]
    assert ask(zoe, "processes.seen") == [1, 2]


def test_the_first_process_of_its_run_cannot_be_looked_into_or_steered(mallory: ForkedProcess) -> None:
    assert ask(mallory, "processes.look_into", pid=1) == []
    assert not ask(mallory, "processes.write_into", pid=1)
    assert ask(mallory, "processes.trace", pid=1) == []
    assert not ask(mallory, "processes.read_memory", pid=1)
    assert ask(mallory, "processes.take_descriptors", pid=1) == []


def test_its_signals_reach_nobody(warm: WarmParent, mallory: ForkedProcess, zoe: ForkedProcess) -> None:
    assert ask(mallory, "processes.signal_all")
    assert ask(zoe, "processes.seen") == [1, 2]
    with warm.fork("cells") as next_one:
        assert ask(next_one, "processes.seen") == [1, 2]
    # Its own first process is there as well, and says how it ends.
    mallory.channel.send({"attack": "processes.end_at_once", "given": {"code": 7}})
    assert mallory.wait(10).code == 7


def test_it_reaches_no_network(mallory: ForkedProcess, zoe: ForkedProcess, host: Host) -> None:
    for address in ("127.0.0.1", "::1", "10.0.0.1", "192.0.2.1"):
        assert not ask(mallory, "network.connect", host=address, port=host.tcp_port), address
    ask(mallory, "network.send_datagram", host="127.0.0.1", port=host.udp_port, word="out")
    assert not ask(mallory, "network.send_datagram", host="192.0.2.1", port=53, word="out")
    with pytest.raises(BlockingIOError):
        host.datagrams.recv(16)
    assert not ask(mallory, "network.resolve", name="example.org")
    assert ask(mallory, "network.interfaces") == ["lo"]
    port = ask(zoe, "network.listen_tcp")
    assert ask(zoe, "network.connect", host="127.0.0.1", port=port)
    assert not ask(mallory, "network.connect", host="127.0.0.1", port=port)
    assert not ask(mallory, "network.change_interface")


def test_it_makes_no_sockets_but_the_common_ones(mallory: ForkedProcess) -> None:
    allowed = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK}
    assert set(ask(mallory, "network.families")) <= allowed
    assert not ask(mallory, "network.raw_socket")
    assert not ask(mallory, "network.packet_socket")


def test_it_reaches_no_unix_socket_of_the_machine_or_of_another_run(
    warm: WarmParent, mallory: ForkedProcess, zoe: ForkedProcess, host: Host
) -> None:
    for address in (str(host.unix), host.abstract, str(warm.address)):
        assert not ask(mallory, "network.connect_unix", address=address), address
    assert ask(zoe, "network.listen_unix", address="@zoe")
    assert not ask(mallory, "network.connect_unix", address="@zoe")


def test_it_has_the_rights_of_nobody(mallory: ForkedProcess, zoe: ForkedProcess) -> None:
    ids = set(ask(mallory, "privileges.ids"))
    if os.geteuid() == 0:
        (own,) = ids
        assert own in FORKED_UIDS
        assert {own} != set(ask(zoe, "privileges.ids"))
    status = ask(mallory, "privileges.status")
    assert {
        name: int(status[f"Cap{name}"], 16) for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")
    } == dict.fromkeys(("Inh", "Prm", "Eff", "Bnd", "Amb"), 0)
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_it_gains_no_rights(mallory: ForkedProcess) -> None:
    for uid in (0, 1, FORKED_UIDS[0], 65534):
        if uid not in ask(mallory, "privileges.ids"):
            assert ask(mallory, "privileges.become", uid=uid) == [], uid
    assert ask(mallory, "privileges.programs_of_root") == []
    assert ask(mallory, "privileges.raise_limits") == []
    assert ask(mallory, "privileges.take_priority") == []


def test_it_makes_and_enters_no_namespace(mallory: ForkedProcess) -> None:
    assert ask(mallory, "privileges.unshare") == []
    assert ask(mallory, "privileges.clone_into_namespace") == []
    assert not ask(mallory, "privileges.clone3")
    for pid in (1, 2):
        assert ask(mallory, "privileges.enter_namespaces", pid=pid) == []


def test_the_kernels_less_travelled_parts_are_closed(mallory: ForkedProcess) -> None:
    assert ask(mallory, "privileges.forbidden_calls") == []


def test_the_attacks_do_get_through_where_no_wall_stands(host: Host) -> None:
    with (
        pytest.MonkeyPatch.context() as patch,
        WarmParent(ENVIRONMENT, unsafe_no_sandbox=True, roles=ROLES) as open_parent,
        open_parent.fork("cells") as process,
    ):
        patch.setenv(SECRET_OF_THE_HUB, host.word)
        assert ask(process, "files.read", path=str(host.secret)) == host.word
        assert ask(process, "files.read_around", path=str(host.secret))
        assert len(ask(process, "processes.seen")) > 2
        assert ask(process, "network.connect", host="127.0.0.1", port=host.tcp_port)
        for address in (str(host.unix), host.abstract, str(open_parent.address)):
            assert ask(process, "network.connect_unix", address=address)
        ask(process, "network.send_datagram", host="127.0.0.1", port=host.udp_port, word="out")
        assert host.datagrams.recv(16) == b"out"
        for way in ("lock", "lock_range", "watch"):
            assert ask(process, f"files.{way}", path="/usr/bin/env"), way
