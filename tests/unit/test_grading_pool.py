"""Processes that work side by side: one that dies, or is late, takes nothing with it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from graders.engine.pool import MEMORY_BYTES, Done, Pool

pytestmark = pytest.mark.quick


def work(task: str) -> str:
    if task == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "fails":
        raise ValueError("no such thing")
    if task == "hangs":
        time.sleep(60)
    if task == "grows":
        return f"{len(bytearray(MEMORY_BYTES))}"
    return task.upper()


def all_done(pool: Pool[str, str]) -> dict[str, Done[str, str]]:
    found: dict[str, Done[str, str]] = {}
    while not pool.is_idle:
        found |= {done.task: done for done in pool.done()}
    return found


def test_what_kills_its_process_is_given_up_and_the_others_are_done() -> None:
    with Pool[str, str](work, 2, lives=2) as pool:
        for task in ("a", "dies", "b", "fails", "c"):
            pool.put(task)
        found = all_done(pool)
    assert {done.result for done in found.values() if done.kind == "done"} == {"A", "B", "C"}
    assert (found["dies"].kind, found["fails"].kind) == ("died", "failed")
    assert found["fails"].problem == "ValueError: no such thing"


def test_what_takes_too_much_memory_takes_none_of_the_machines() -> None:
    with Pool[str, str](work, 1) as pool:
        pool.put("grows")
        pool.put("a")
        found = all_done(pool)
    assert (found["grows"].problem, found["a"].result) == ("MemoryError: ", "A")


def test_what_kills_processes_for_a_while_costs_no_task_its_result() -> None:
    ends = time.monotonic() + 0.5

    def killed_at_first(task: str) -> str:
        return work("dies" if time.monotonic() < ends else task)

    with Pool[str, str](killed_at_first, 2) as pool:
        for task in ("a", "b", "c"):
            pool.put(task)
        found = all_done(pool)
    assert {task: done.result for task, done in found.items()} == {"a": "A", "b": "B", "c": "C"}


def test_a_task_that_takes_too_long_is_stopped() -> None:
    with Pool[str, str](work, 1, task_seconds=1) as pool:
        pool.put("hangs")
        pool.put("a")
        found = all_done(pool)
    assert (found["hangs"].kind, found["a"].result) == ("late", "A")


def test_a_task_whose_process_was_killed_is_done_by_another() -> None:
    with Pool[str, str](work, 1) as pool:
        pool.put("a")
        assert [done.result for done in pool.done()] == ["A"]
        (idle,) = pool.pids
        os.kill(idle, signal.SIGKILL)
        pool.put("b")
        assert all_done(pool)["b"].result == "B"


def test_there_is_room_for_as_many_as_work_at_a_time() -> None:
    with Pool[str, str](work, 2) as pool:
        assert pool.has_room
        pool.put("hangs")
        assert pool.has_room
        pool.put("hangs")
        assert not pool.has_room
        assert pool.done(0.05) == ()
    assert pool.pids == ()


def test_a_process_goes_on_with_its_next_task_while_nobody_asks_for_results(tmp_path: Path) -> None:
    with Pool[Path, None](Path.touch, 1, ahead=1) as pool:
        for name in ("a", "b"):
            assert pool.has_room
            pool.put(tmp_path / name)
        assert not pool.has_room
        until = time.monotonic() + 10
        while not (tmp_path / "b").exists() and time.monotonic() < until:
            os.sched_yield()
        assert (tmp_path / "b").exists()


def test_what_a_process_was_to_do_next_costs_it_nothing_that_the_process_dies() -> None:
    with Pool[str, str](work, 1, lives=1, ahead=3) as pool:
        for task in ("dies", "a", "fails", "b"):
            pool.put(task)
        found = all_done(pool)
    assert {task: done.kind for task, done in found.items()} == {
        "dies": "died",
        "a": "done",
        "fails": "failed",
        "b": "done",
    }


def test_tasks_and_results_of_any_size_go_past_each_other() -> None:
    with Pool[str, str](work, 1, ahead=1) as pool:
        for letter in "abcd":
            pool.put(letter * (4 << 20))
        assert len(all_done(pool)) == 4
