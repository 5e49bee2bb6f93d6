"""What is handed in is kept whole or not at all."""

from __future__ import annotations

import contextlib
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course import archive, submissions
from course.errors import CourseError, TooLarge
from course.submissions import SubmissionStore
from tests.unit.record.uploads import NOW, special, tar_of

pytestmark = pytest.mark.quick


def left_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name != ".incoming"] if folder.exists() else []


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
