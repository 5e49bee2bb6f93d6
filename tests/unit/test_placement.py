"""Results reach the course directory whole, as its owner's, and through no link."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from course.errors import CourseError
from graders.engine.archive import packed, unpacked
from graders.engine.locks import SubmissionLocks
from graders.engine.owner import as_owner
from graders.engine.placement import WORK_FOLDER, Result, put_in_place, stage

TARGET = Path("autograded", "ada", "Week 1")
pytestmark = pytest.mark.quick


@pytest.fixture
def course_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    folder.mkdir()
    if os.geteuid() == 0:
        # Reachable by its owner alone, as in a deployment: the path to it is root's.
        os.chown(folder, 200_000, 200_000)
    return folder


def place(course_dir: Path, files: Mapping[str, bytes], target: Path = TARGET) -> None:
    results = [Result(target=target, files=files, permissions=0o444)]
    put_in_place(course_dir, stage(course_dir, results), results)


def test_a_new_result_replaces_the_old_one_whole(course_dir: Path) -> None:
    place(course_dir, {"work.ipynb": b"old", "data/a.csv": b"1"})
    place(course_dir, {"work.ipynb": b"new"})
    graded = course_dir / TARGET
    assert [path.relative_to(graded).as_posix() for path in graded.rglob("*")] == ["work.ipynb"]
    assert (graded / "work.ipynb").read_bytes() == b"new"
    assert (graded / "work.ipynb").stat().st_mode & 0o777 == 0o444
    assert {path.stat().st_uid for path in course_dir.rglob("*")} == {course_dir.stat().st_uid}
    assert list((course_dir / WORK_FOLDER).iterdir()) == []


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside"])
def test_no_file_gets_out_of_its_folder(course_dir: Path, name: str) -> None:
    with pytest.raises(CourseError):
        place(course_dir, {name: b"x"})
    assert not (course_dir.parent / "outside").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has more power than the owner")
def test_a_link_in_the_course_directory_leads_a_worker_nowhere(course_dir: Path, tmp_path: Path) -> None:
    forbidden = tmp_path / "forbidden"
    forbidden.mkdir(mode=0o700)
    (course_dir / "autograded").mkdir()
    (course_dir / "autograded" / "ada").symlink_to(forbidden)
    with pytest.raises(CourseError):
        place(course_dir, {"work.ipynb": b"x"})
    assert list(forbidden.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has more power than the owner")
def test_what_is_done_as_the_owner_is_done_with_no_more_power(course_dir: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("root's")
    secret.chmod(0o600)
    assert as_owner(course_dir, lambda _root: f"{os.getuid()} {os.getgroups()}".encode()) == b"200000 []"
    with pytest.raises(CourseError, match="Permission"):
        as_owner(course_dir, lambda _root: secret.read_bytes())


def test_what_a_killed_process_left_is_removed_by_the_next_that_is_alone(course_dir: Path) -> None:
    with SubmissionLocks(course_dir):
        stage(course_dir, [Result(target=TARGET, files={"work.ipynb": b"x"})])
    left = [path for path in (course_dir / WORK_FOLDER).iterdir() if path.name != "locks"]
    assert len(left) == 1
    with SubmissionLocks(course_dir):
        assert not left[0].exists()


def test_a_submission_is_locked_against_other_processes_and_no_other_submission_is(course_dir: Path) -> None:
    program = f"""
from pathlib import Path
from graders.engine.locks import SubmissionLocks
with SubmissionLocks(Path({str(course_dir)!r})) as locks:
    print(locks.take("Week 1", "ada"), locks.take("Week 1", "ben"), locks.take("Week 2", "ada"))
"""
    with SubmissionLocks(course_dir) as locks:
        assert locks.take("Week 1", "ada")
        held = stage(course_dir, [Result(target=TARGET, files={"work.ipynb": b"x"})])
        other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert (course_dir / held[0]).exists(), "nobody sweeps while another is there"
    assert other.stdout.split() == ["False", "True", "True"]


def test_packed_files_come_back_as_they_were() -> None:
    files = {"a.txt": b"\n\0{", "b/ü.bin": b""}
    assert unpacked(packed(files, [("size", "ü")])) == (files, (("size", "ü"),))
