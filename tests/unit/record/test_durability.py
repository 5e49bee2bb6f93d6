"""Whenever the service dies, a submission is there whole or not at all; what was acknowledged is there."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID, uuid4

import pytest

from course.api import Receipt
from course.database import Database
from course.errors import Conflict, CourseError
from course.events import EventStore
from course.submissions import SubmissionStore
from tests.unit.record.uploads import NOW, special, tar_of

pytestmark = pytest.mark.quick

STEPS = {"mkdir", "open", "write", "fchmod", "fsync", "rename", "execute", "commit", "do_commit"}
"""Calls between which a disk differs."""


@pytest.fixture
def state(tmp_path: Path) -> tuple[Path, Path]:
    """The paths of a database and of the submissions' folder."""
    return tmp_path / "spoc.sqlite", tmp_path / "submissions"


def archive() -> Any:
    return tar_of(("exercises.ipynb", b"{}"), ("data/a.csv", b"1,2"))


def hand_in_until(step: int, database: Path, folder: Path, key: UUID) -> bool:
    """Hand in, in a process that is killed before its `step`th change; return whether it lived to the end."""
    child = os.fork()
    if child == 0:
        try:
            store = SubmissionStore(Database(f"sqlite:///{database}"), folder)
            sys.setprofile(_Killer(step))
            store.receive("ada", "tables", archive(), NOW, key)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return not os.WIFSIGNALED(status)


class _Killer:
    def __init__(self, step: int) -> None:
        self._left = step

    def __call__(self, _frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and called.__name__ in STEPS:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_kill_at_any_step_leaves_nothing_or_a_whole_submission_and_a_retry_counts_once(
    state: tuple[Path, Path],
) -> None:
    database, folder = state
    with closing(Database(f"sqlite:///{database}")) as opened:
        store, events = SubmissionStore(opened, folder), EventStore(opened)
        for step in range(1, 500):
            key = uuid4()
            before = {found.id for found in store.of("ada")}
            lived = hand_in_until(step, database, folder, key)
            store.sweep()
            new = [found for found in store.of("ada") if found.id not in before]
            assert all(store.differences(found.id) == () for found in new)
            receipt = store.receive("ada", "tables", archive(), NOW, key)
            after = {found.id for found in store.of("ada")}
            assert after - before == {receipt.submission}, "sent again, it counts once"
            if lived:
                break
        assert lived
        assert step > 15, "it was killed at every step"
        assert len(events.events(kind="assignment.submitted")) == step, "with one event for each"
    kept = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    assert len(kept) == step


def test_all_is_on_the_disk_before_it_has_its_name_and_has_its_name_before_it_is_acknowledged(
    store: SubmissionStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    monkeypatch.setattr(os, "fsync", told(steps, os.fsync, lambda it: os.readlink(f"/proc/self/fd/{it}")))
    monkeypatch.setattr(os, "rename", told(steps, os.rename, lambda *_: "renamed"))
    receipt = store.receive("ada", "tables", archive(), NOW)
    named = steps.index("renamed")
    draft = next(Path(each).parent for each in steps if each.endswith("receipt.json"))
    assert set(steps[:named]) == {
        str(folder.parent),
        *(str(draft / name) for name in ("receipt.json", "files/exercises.ipynb", "files/data/a.csv")),
        *(str(draft / name) for name in ("", "files", "files/data")),
    }
    assert steps[named + 1 :] == [str(folder)]
    assert (folder / str(receipt.submission)).is_dir()


def told(steps: list[str], call: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
    def recorded(*arguments: Any, **options: Any) -> Any:
        steps.append(name(*arguments))
        return call(*arguments, **options)

    return recorded


def test_a_key_gives_one_submission_with_one_receipt(store: SubmissionStore) -> None:
    key = uuid4()
    first = store.receive("ada", "tables", archive(), NOW, key)
    assert store.receive("ada", "tables", archive(), NOW.replace(hour=23), key) == first
    assert [found.id for found in store.of("ada")] == [first.submission]
    assert store.receive("ada", "tables", archive(), NOW, uuid4()).submission != first.submission
    assert store.receive("ada", "tables", archive(), NOW).submission != first.submission


def test_a_key_is_not_for_other_files_and_not_for_somebody_else(store: SubmissionStore) -> None:
    key = uuid4()
    first = store.receive("ada", "tables", archive(), NOW, key)
    with pytest.raises(Conflict, match="have changed"):
        store.receive("ada", "tables", tar_of(("exercises.ipynb", b"other")), NOW, key)
    assert store.differences(first.submission) == ()
    others = [store.receive(*whom, archive(), NOW, key) for whom in (("ben", "tables"), ("ada", "charts"))]
    assert len({first.submission, *(other.submission for other in others)}) == 3


def test_a_refused_archive_uses_up_no_key(store: SubmissionStore) -> None:
    key = uuid4()
    with pytest.raises(CourseError):
        store.receive("ada", "tables", tar_of(special("a", b"2", "/etc/passwd")), NOW, key)
    assert store.receive("ada", "tables", archive(), NOW, key).files


def test_what_was_changed_on_the_disk_later_is_seen(
    store: SubmissionStore, hand_in: Callable[..., Receipt]
) -> None:
    receipt = hand_in()
    files = store.files_dir(receipt.submission)
    assert store.differences(receipt.submission) == ()
    (files / "exercises.ipynb").chmod(0o600)
    (files / "exercises.ipynb").write_bytes(b"forged")
    (files / "more").symlink_to("/etc/passwd")
    assert store.differences(receipt.submission) == ("exercises.ipynb", "more")
