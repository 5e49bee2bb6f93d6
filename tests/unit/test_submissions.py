"""What is handed in is kept whole or not at all, and graded in order."""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course import archive, submissions
from course.api import FeedbackDocument, Receipt
from course.database import Database
from course.errors import Conflict, CourseError, NotFound, TooLarge
from course.feedback import FeedbackStore
from course.grading import GAVE_UP, REPLACED, RETRY_SECONDS, GradingQueue
from course.releases import ReleaseStore
from course.submissions import SubmissionStore

pytestmark = pytest.mark.quick

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def tar_of(*entries: tarfile.TarInfo | tuple[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                tar.addfile(entry, io.BytesIO(b"x" * entry.size))
            else:
                name, content = entry
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    buffer.seek(0)
    return buffer


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'spoc.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "submissions"


@pytest.fixture
def store(database: Database, folder: Path) -> SubmissionStore:
    return SubmissionStore(database, folder)


@pytest.fixture
def queue(database: Database) -> GradingQueue:
    return GradingQueue(database)


@pytest.fixture
def hand_in(store: SubmissionStore) -> Callable[..., Receipt]:
    def receive(learner: str = "ada", assignment: str = "tables", content: bytes = b"{}") -> Receipt:
        return store.receive(learner, assignment, tar_of(("exercises.ipynb", content)), NOW)

    return receive


def left_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name != ".incoming"] if folder.exists() else []


def test_a_receipt_proves_every_file_as_sha256sum_does(store: SubmissionStore) -> None:
    receipt = store.receive("ada", "tables", tar_of(("b.ipynb", b"two"), ("data/a.csv", b"one")), NOW)
    lines = (
        f"{hashlib.sha256(b'two').hexdigest()}  b.ipynb\n{hashlib.sha256(b'one').hexdigest()}  data/a.csv\n"
    )
    assert receipt.sha256 == hashlib.sha256(lines.encode()).hexdigest()
    assert (store.files_dir(receipt.submission) / "data/a.csv").read_bytes() == b"one"
    assert store.get(receipt.submission).receipt() == receipt


@pytest.mark.parametrize(
    "name",
    [
        "../escape.ipynb",
        "/etc/passwd",
        "a/../../b",
        "./a",
        "a//b",
        "a\nb",
        "a\x01b",
        "a\u202eb",
        "n" * 300,
        "a/b/c/d/e/f/g/h/i",
        " a",
        "a\\b",
    ],
)
def test_an_odd_name_is_refused_and_leaves_nothing(store: SubmissionStore, folder: Path, name: str) -> None:
    with pytest.raises(CourseError):
        store.receive("ada", "tables", tar_of(("good.ipynb", b"{}"), (name, b"")), NOW)
    assert left_in(folder) == []
    assert store.of("ada") == ()


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE],
)
def test_only_regular_files_come_in(store: SubmissionStore, folder: Path, kind: bytes) -> None:
    with pytest.raises(CourseError, match="not a regular file"):
        store.receive("ada", "tables", tar_of(special("exercises.ipynb", kind, "/etc/passwd")), NOW)
    assert left_in(folder) == []


@pytest.mark.parametrize(
    "names", [("a", "a"), ("A.csv", "a.csv"), ("é", "e\u0301"), ("a", "a/b"), ("a/b", "a")]
)
def test_no_two_names_mean_one_file(store: SubmissionStore, names: tuple[str, str]) -> None:
    with pytest.raises(CourseError, match="twice"):
        store.receive("ada", "tables", tar_of(*((name, b"") for name in names)), NOW)


def test_every_refused_file_is_named(store: SubmissionStore) -> None:
    with pytest.raises(CourseError) as refused:
        store.receive(
            "ada", "tables", tar_of(("../a", b""), ("ok", b""), special("b", tarfile.FIFOTYPE)), NOW
        )
    assert "../a: " in refused.value.problem
    assert "b: not a regular file" in refused.value.problem
    assert "ok" not in refused.value.problem


def test_too_many_files_are_refused(store: SubmissionStore, folder: Path) -> None:
    with pytest.raises(TooLarge):
        store.receive("ada", "tables", tar_of(*((f"{n}", b"") for n in range(archive.MAX_FILES + 1))), NOW)
    assert left_in(folder) == []


def test_too_many_bytes_are_refused(
    store: SubmissionStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    with pytest.raises(TooLarge):
        store.receive("ada", "tables", tar_of(("a", b"x" * 600), ("b", b"x" * 600)), NOW)
    assert left_in(folder) == []


def test_a_learner_cannot_fill_the_disk(
    store: SubmissionStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "MAX_STORED_BYTES", 10_000)
    store.receive("ada", "tables", tar_of(("a", b"x")), NOW)
    store.receive("ada", "tables", tar_of(("a", b"x")), NOW)
    with pytest.raises(TooLarge):
        store.receive("ada", "tables", tar_of(("a", b"x")), NOW)
    assert len(store.of("ada")) == len([path for path in folder.iterdir() if path.name != ".incoming"]) == 2
    store.receive("bob", "tables", tar_of(("a", b"x")), NOW)


@pytest.mark.parametrize("cut", [0, 100, 600, 1024])
def test_a_partial_upload_is_refused(store: SubmissionStore, folder: Path, cut: int) -> None:
    whole = tar_of(("exercises.ipynb", b"x" * 2000)).getvalue()
    with pytest.raises(CourseError):
        store.receive("ada", "tables", io.BytesIO(whole[:cut]), NOW)
    assert left_in(folder) == []


def test_nested_headers_without_end_are_refused(store: SubmissionStore) -> None:
    record = b"11 path=ab\n".ljust(512, b"\0")
    header = special("x", tarfile.XHDTYPE)
    header.size = 11
    with pytest.raises(CourseError, match="tar"):
        store.receive("ada", "tables", io.BytesIO((header.tobuf() + record) * 5000), NOW)


@settings(max_examples=60, deadline=None)
@given(damage=st.lists(st.tuples(st.integers(0, 2559), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_archive_never_escapes_or_crashes(
    damage: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    inside = outside / "inside"
    inside.mkdir()
    content = bytearray(tar_of(("a.ipynb", b"x" * 30), ("b/c", b"y" * 30)).getvalue())
    for place, value in damage:
        content[place] = value
    with contextlib.suppress(CourseError):
        archive.unpack(io.BytesIO(bytes(content)), inside)
    assert list(outside.iterdir()) == [inside]


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


def test_submissions_are_claimed_in_the_order_of_arrival_and_once(
    queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    first, second = hand_in("ada"), hand_in("bob")
    claimed = [queue.claim(NOW), queue.claim(NOW), queue.claim(NOW)]
    assert [found and found.id for found in claimed] == [first.submission, second.submission, None]


def test_a_learner_is_told_how_many_submissions_are_graded_before_theirs(
    store: SubmissionStore, queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    hand_in("ada")
    first, second, third = hand_in("ada"), hand_in("bob"), hand_in("cy")
    waiting = [store.get(each.submission) for each in (first, second, third)]
    assert [queue.ahead(each) for each in waiting] == [0, 1, 2], "what a newer one replaces is not graded"
    queue.claim(NOW)
    assert [queue.ahead(store.get(each.id)) for each in waiting] == [None, 0, 1]


def test_many_submissions_of_one_learner_do_not_hold_up_those_of_others(
    store: SubmissionStore, queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    eager = [hand_in("ada", f"module-{number}") for number in range(4)]
    later = [hand_in("bob"), hand_in("cy")]
    order = [eager[0], *later, *eager[1:]]
    waiting = [store.get(each.submission) for each in order]
    assert [queue.ahead(each) for each in waiting] == [0, 1, 2, 3, 4, 5]
    for receipt in order:
        claimed = queue.claim(NOW)
        assert claimed is not None
        assert claimed.id == receipt.submission
        queue.mark_graded(claimed.id, points=1, max_points=1, feedback_at=NOW)


def test_a_submission_replaced_while_it_waited_is_not_graded(
    store: SubmissionStore, queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    old, new = hand_in(), hand_in()
    claimed = queue.claim(NOW)
    assert claimed is not None
    assert claimed.id == new.submission
    assert (store.get(old.submission).state, store.get(old.submission).problem) == ("failed", REPLACED)


def test_two_submissions_of_one_learner_are_never_graded_at_once(
    queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    first = hand_in()
    assert queue.claim(NOW) is not None
    second = hand_in()
    assert queue.claim(NOW) is None
    queue.mark_graded(first.submission, points=1, max_points=2, feedback_at=NOW)
    claimed = queue.claim(NOW)
    assert claimed is not None
    assert claimed.id == second.submission


@pytest.mark.parametrize("worker", ["dies", "lives"])
def test_what_the_platform_failed_is_tried_again_ever_later_but_not_for_ever(
    store: SubmissionStore, queue: GradingQueue, hand_in: Callable[..., Receipt], worker: str
) -> None:
    receipt, now = hand_in(), NOW

    def fail() -> None:
        claimed = queue.claim(now)
        assert claimed is not None
        assert claimed.id == receipt.submission
        if worker == "dies":
            assert queue.take_back(now) == 1
        else:
            queue.put_back(receipt.submission, now)

    for seconds in RETRY_SECONDS:
        fail()
        assert queue.claim(now + timedelta(seconds=seconds - 0.1)) is None
        assert not queue.is_empty()
        now += timedelta(seconds=seconds)
    fail()
    failed = store.get(receipt.submission)
    assert (failed.state, failed.problem) == ("failed", GAVE_UP)
    assert queue.is_empty()
    queue.grade_again(receipt.submission)
    assert queue.claim(now) is not None


def test_others_are_graded_while_one_waits_for_its_next_try(
    queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    first, second = hand_in("ada"), hand_in("bob")
    assert queue.claim(NOW) is not None
    queue.put_back(first.submission, NOW)
    claimed = queue.claim(NOW)
    assert claimed is not None
    assert claimed.id == second.submission


def test_what_cannot_be_begun_yet_lets_others_pass_and_uses_up_no_try(
    store: SubmissionStore, queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    first, second = hand_in("ada"), hand_in("bob")
    assert queue.claim(NOW) is not None
    queue.give_back(first.submission, not_before=NOW + timedelta(seconds=1))
    claimed = queue.claim(NOW)
    assert claimed is not None
    assert claimed.id == second.submission
    assert queue.claim(NOW) is None
    assert queue.claim(NOW + timedelta(seconds=1)) is not None
    assert store.get(first.submission).claims == 1


def test_a_worker_that_is_told_to_stop_uses_up_no_try(
    store: SubmissionStore, queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    receipt = hand_in()
    assert queue.claim(NOW) is not None
    queue.give_back(receipt.submission)
    assert store.get(receipt.submission).claims == 0
    assert queue.claim(NOW) is not None


def test_only_a_claimed_submission_gets_a_result(
    queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    with pytest.raises(Conflict):
        queue.mark_failed(hand_in().submission, "no")


def test_released_marks_ask_for_new_feedback_on_the_newest_graded(
    store: SubmissionStore, queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    receipt = hand_in()
    queue.claim(NOW)
    assert queue.release_marks("tables") == (), "it is not graded yet"
    queue.mark_graded(receipt.submission, points=1, max_points=2, feedback_at=NOW)
    assert queue.release_marks("tables", "bob") == ()
    (released,) = queue.release_marks("tables")
    assert (released.id, released.marks_released) == (receipt.submission, True)
    (due,) = queue.feedback_due(NOW)
    assert due == released
    queue.mark_feedback(due, points=2, max_points=2, feedback_at=NOW)
    assert queue.feedback_due(NOW) == ()
    assert store.get(receipt.submission).points == 2


def test_marks_released_while_feedback_is_written_are_written_too(
    queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    receipt = hand_in()
    queue.claim(NOW)
    queue.mark_graded(receipt.submission, points=1, max_points=2, feedback_at=NOW)
    queue.release_marks("tables")
    (being_written,) = queue.feedback_due(NOW)
    queue.release_marks("tables")
    queue.mark_feedback(being_written, points=2, max_points=2, feedback_at=NOW)
    (due,) = queue.feedback_due(NOW)
    queue.mark_feedback(due, points=2, max_points=2, feedback_at=NOW)
    assert queue.feedback_due(NOW) == ()


@pytest.mark.parametrize("state", ["received", "failed"])
def test_a_newer_submission_that_is_not_graded_keeps_no_marks_back(
    queue: GradingQueue, hand_in: Callable[..., Receipt], state: str
) -> None:
    good = hand_in()
    queue.claim(NOW)
    queue.mark_graded(good.submission, points=1, max_points=2, feedback_at=NOW)
    broken = hand_in()
    if state == "failed":
        queue.claim(NOW)
        queue.mark_failed(broken.submission, "exercises.ipynb is not a notebook.")
    assert [found.id for found in queue.release_marks("tables", "ada")] == [good.submission]


def test_feedback_that_could_not_be_written_stays_due(
    queue: GradingQueue, hand_in: Callable[..., Receipt]
) -> None:
    receipt = hand_in()
    queue.claim(NOW)
    queue.mark_graded(receipt.submission, points=1, max_points=2, feedback_at=NOW)
    queue.release_marks("tables")
    queue.put_off_feedback(receipt.submission, NOW)
    assert queue.feedback_due(NOW) == ()
    assert len(queue.feedback_due(NOW + timedelta(seconds=RETRY_SECONDS[-1]))) == 1
    queue.release_marks("tables")
    assert len(queue.feedback_due(NOW)) == 1, "asked again, it is tried at once"


def test_a_second_release_renews_what_learners_see_and_keeps_the_order(database: Database) -> None:
    store = ReleaseStore(database)
    store.release("tables", title="Tables", notebooks=["lesson"], due_at=None, now=NOW)
    store.release("charts", title="Charts", notebooks=["lesson"], due_at=NOW, now=NOW)
    renewed = store.release(
        "tables", title="Tables 2", notebooks=["lesson", "exercises"], due_at=NOW, now=datetime.now(UTC)
    )
    assert [found.assignment for found in store.released()] == ["tables", "charts"]
    assert (renewed.title, renewed.notebooks) == ("Tables 2", ("lesson", "exercises"))
    assert (renewed.due_at, renewed.released_at) == (NOW, NOW)


def test_an_assignment_that_is_not_released_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        ReleaseStore(database).get("tables")


def test_feedback_is_known_only_with_its_document(tmp_path: Path, hand_in: Callable[..., Receipt]) -> None:
    store = FeedbackStore(tmp_path / "feedback")
    receipt = hand_in()
    with pytest.raises(NotFound):
        store.page(receipt.submission, "exercises")
    document = FeedbackDocument(
        submission=receipt.submission,
        assignment="tables",
        graded_at=NOW,
        points=1,
        max_points=2,
        complete=True,
        cells=(),
        notebooks=("exercises",),
    )
    store.write(document, {"exercises": "<p>Good</p>"})
    assert store.get(receipt.submission) == document
    assert store.page(receipt.submission, "exercises") == "<p>Good</p>"
    with pytest.raises(NotFound):
        store.page(receipt.submission, "../../secret")
