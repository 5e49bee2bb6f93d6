"""What was handed in is proved by its receipt, kept, and found again."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from course.api import Receipt
from course.database import Database
from course.submissions import SubmissionStore
from tests.unit.record.uploads import NOW, tar_of

pytestmark = pytest.mark.quick


def test_a_receipt_proves_every_file_as_sha256sum_does(store: SubmissionStore) -> None:
    receipt = store.receive("ada", "tables", tar_of(("b.ipynb", b"two"), ("data/a.csv", b"one")), NOW)
    lines = (
        f"{hashlib.sha256(b'two').hexdigest()}  b.ipynb\n{hashlib.sha256(b'one').hexdigest()}  data/a.csv\n"
    )
    assert receipt.sha256 == hashlib.sha256(lines.encode()).hexdigest()
    assert (store.files_dir(receipt.submission) / "data/a.csv").read_bytes() == b"one"
    assert store.get(receipt.submission).receipt() == receipt


def test_a_sweep_removes_only_what_was_half_received(
    store: SubmissionStore, folder: Path, hand_in: Callable[..., Receipt], caplog: pytest.LogCaptureFixture
) -> None:
    kept = hand_in()
    (folder / ".incoming" / "half" / "files").mkdir(parents=True)
    (folder / "notes.txt").write_text("a person's")
    store.sweep()
    assert {path.name for path in folder.iterdir()} == {str(kept.submission), "notes.txt"}
    assert "notes.txt" in caplog.text


def test_a_submission_that_a_restored_database_does_not_know_is_set_aside_whole(
    tmp_path: Path, folder: Path, hand_in: Callable[..., Receipt], caplog: pytest.LogCaptureFixture
) -> None:
    receipt = hand_in(content=b"work")
    place = folder / str(receipt.submission)
    with contextlib.closing(Database(f"sqlite:///{tmp_path / 'older.sqlite'}")) as older:
        restored = SubmissionStore(older, folder)
        for times in (1, 2):
            restored.sweep()
            restored.sweep()
            assert str(receipt.submission) in caplog.text
            assert not place.exists()
            aside = list((folder / ".unknown").iterdir())
            assert len(aside) == times
            assert {(found / "files" / "exercises.ipynb").read_bytes() for found in aside} == {b"work"}
            shutil.copytree(aside[0], place)


def test_the_newest_of_each_learner_is_chosen(
    store: SubmissionStore, hand_in: Callable[..., Receipt]
) -> None:
    hand_in("ada")
    bob, ada, other = hand_in("bob"), hand_in("ada"), hand_in("ada", "charts")
    assert [found.id for found in store.newest("tables")] == [ada.submission, bob.submission]
    assert [found.id for found in store.newest()] == [other.submission, ada.submission, bob.submission]
    assert store.find_newest("cy", "tables") is None
