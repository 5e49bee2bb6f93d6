"""A forked process takes no more than it may, and leaves nothing behind when its run ends."""

from __future__ import annotations

import os
import signal

import pytest

from graders.forkserver.channel import ChannelClosed
from graders.forkserver.confinement import SCRATCH
from graders.forkserver.limits import ProcessLimits
from graders.forkserver.parent import ForkedProcess, WarmParent
from graders.sandbox.policy import MIB
from tests.attacks.intruder import ask
from tests.attacks.processes import descendants
from tests.waiting import wait_until


def test_daemons_end_with_their_run(warm: WarmParent, zoe: ForkedProcess) -> None:
    before = descendants()
    with warm.fork("cells") as process:
        assert ask(process, "processes.leave_daemons", count=5) == 2 + 5
        process.channel.send({"attack": "processes.end_at_once", "given": {"code": 0}})
        assert process.wait(60).code == 0
        assert len(descendants() - before) == 1 + 5
    wait_until(lambda: descendants() <= before, seconds=10)


def test_all_of_a_run_ends_when_its_grader_does(warm: WarmParent, zoe: ForkedProcess) -> None:
    before = descendants()
    grader = os.fork()
    if grader == 0:
        with warm.fork("cells") as process:
            ask(process, "processes.leave_daemons", count=2)
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(grader, 0)
    wait_until(lambda: descendants() <= before, seconds=10)


def test_a_fork_bomb_stays_within_its_run(warm: WarmParent, zoe: ForkedProcess) -> None:
    before = descendants()
    with warm.fork("cells", ProcessLimits(processes=30)) as process:
        assert 0 < ask(process, "resources.fork_bomb") < 30
        with warm.fork("cells", ProcessLimits(processes=30)) as neighbour:
            assert 0 < ask(neighbour, "resources.threads") < 30
    wait_until(lambda: descendants() <= before, seconds=10)


def test_memory_disk_and_files_end_at_their_limits(warm: WarmParent) -> None:
    limits = ProcessLimits(
        memory_bytes=512 * MIB, scratch_bytes=16 * MIB, file_bytes=8 * MIB, open_files=64, cpu_seconds=30
    )
    with warm.fork("cells", limits) as process:
        assert 50 < ask(process, "resources.memory", most_mib=1024) < 512
        assert ask(process, "resources.open_files") < 64
        assert ask(process, "resources.one_file", most_mib=12) == 8
        for folder in SCRATCH:
            assert 0 < ask(process, "resources.disk", folder=folder, most_mib=64) <= 16
            assert 0 < ask(process, "resources.names", folder=folder) <= 16 * MIB // 1024


def test_a_process_that_burns_time_is_killed(warm: WarmParent) -> None:
    with warm.fork("cells", ProcessLimits(cpu_seconds=1)) as process:
        process.channel.send({"attack": "resources.burn", "given": {}})
        assert process.wait(120).signal == signal.SIGKILL


def test_a_process_that_heeds_nothing_is_killed_by_its_grader(warm: WarmParent) -> None:
    with warm.fork("cells") as process:
        process.channel.send({"attack": "resources.burn", "given": {}})
        process.interrupt()
        process.kill()
        assert process.wait(60).signal == signal.SIGKILL
        with pytest.raises(ChannelClosed):
            process.channel.receive(timeout=60)
