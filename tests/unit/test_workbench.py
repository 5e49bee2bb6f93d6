"""Results reach the course directory whole, as its owner's, and through no link."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from course.errors import CourseError
from graders.workbench import Workbench

NOW = datetime(2026, 3, 2, 9, 30, 0, 250_000, tzinfo=UTC)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    files, source = tmp_path / "files", tmp_path / "source"
    for folder, names in (
        (files, ["exercises.ipynb", "other.ipynb", "notes.md", "timestamp.txt", "data/a.csv"]),
        (source, ["exercises.ipynb", "data/a.csv"]),
    ):
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"{folder.name} {name}")
    (source / "link").symlink_to("/etc/passwd")
    bench = Workbench(tmp_path / "bench", "ada", "tables")
    bench.lay_out(files, source, ["exercises", "lesson"], NOW)
    return bench


@pytest.fixture
def course_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    folder.mkdir()
    if os.geteuid() == 0:
        # Reachable by its owner alone, as in a deployment: the path to it is root's.
        os.chown(folder, 200_000, 200_000)
    return folder


def test_only_the_assignments_notebooks_are_graded(bench: Workbench) -> None:
    submitted = bench.place("submitted")
    assert sorted(path.name for path in submitted.rglob("*") if path.is_file()) == [
        "a.csv", "exercises.ipynb", "notes.md", "timestamp.txt",
    ]  # fmt: skip
    assert (submitted / "timestamp.txt").read_text() == "2026-03-02 09:30:00.250000 UTC"


def test_the_authors_files_come_without_notebooks_and_links(bench: Workbench) -> None:
    source = bench.root / "source" / "tables"
    assert [str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()] == ["data/a.csv"]


def test_a_new_result_replaces_the_old_one_whole(bench: Workbench, course_dir: Path) -> None:
    bench.put_in_place(course_dir)
    (bench.place("submitted") / "notes.md").unlink()
    bench.place("autograded").mkdir(parents=True)
    (bench.place("autograded") / "exercises.ipynb").write_text("graded")
    bench.put_in_place(course_dir)
    assert not (course_dir / "submitted" / "ada" / "tables" / "notes.md").exists()
    assert (course_dir / "autograded" / "ada" / "tables" / "exercises.ipynb").read_text() == "graded"
    assert sorted(path.name for path in course_dir.iterdir()) == ["autograded", "submitted"]
    assert {path.stat().st_uid for path in course_dir.rglob("*")} == {course_dir.stat().st_uid}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has more power than the owner")
def test_a_link_in_the_course_directory_leads_the_worker_nowhere(
    bench: Workbench, course_dir: Path, tmp_path: Path
) -> None:
    forbidden = tmp_path / "forbidden"
    forbidden.mkdir(mode=0o700)
    (course_dir / "submitted").mkdir()
    (course_dir / "submitted" / "ada").symlink_to(forbidden)
    with pytest.raises(CourseError):
        bench.put_in_place(course_dir)
    assert list(forbidden.iterdir()) == []
