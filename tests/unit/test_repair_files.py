"""The files of a submission: what is no plain file is named and left out, the others are graded."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from course.archive import FileNames
from graders.repair.files import FileLimits, FileProblem, SubmittedFiles, read_folder

pytestmark = pytest.mark.quick


def kinds(read: SubmittedFiles) -> dict[str, str]:
    return {problem.name: problem.kind for problem in read.problems}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub" / "data").mkdir(parents=True)
    (tmp_path / "sub" / "exercises.ipynb").write_bytes(b"{}")
    (tmp_path / "sub" / "data" / "my table.csv").write_bytes(b"a,b")
    return tmp_path / "sub"


GOOD = {"exercises.ipynb": b"{}", "data/my table.csv": b"a,b"}


def test_files_come_with_their_folders(folder: Path) -> None:
    assert read_folder(folder) == SubmittedFiles(GOOD, ())


def test_links_pipes_sockets_and_devices_are_named_and_hide_nothing(folder: Path) -> None:
    secret = folder.parent / "secret"
    secret.write_text("answer key")
    (folder / "link.ipynb").symlink_to(secret)
    (folder / "folder-link").symlink_to("/etc")
    os.mkfifo(folder / "pipe.ipynb")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
        if os.geteuid() == 0:
            os.mknod(folder / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        read = read_folder(folder)
    assert read.files == GOOD
    found = kinds(read)
    assert found.pop("zero", "kind") == "kind"
    assert found == {
        "link.ipynb": "link",
        "folder-link": "link",
        "pipe.ipynb": "kind",
        "socket": "kind",
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file to somebody else")
def test_a_hard_link_to_somebody_elses_file_is_left_out(folder: Path) -> None:
    secret = folder.parent / "secret"
    secret.write_text("answer key")
    os.chown(secret, 65534, 65534)
    (folder / "hard.txt").hardlink_to(secret)
    read = read_folder(folder)
    assert read.files == GOOD
    assert kinds(read) == {"hard.txt": "hard-link"}


def test_who_links_to_somebodys_file_takes_it_from_nobody(folder: Path) -> None:
    (folder.parent / "backup").hardlink_to(folder / "exercises.ipynb")
    assert read_folder(folder) == SubmittedFiles(GOOD, ())


def test_a_submission_that_is_itself_a_link_is_not_read(folder: Path) -> None:
    linked = folder.parent / "linked"
    linked.symlink_to(folder)
    with pytest.raises(NotADirectoryError):
        read_folder(linked)


def test_a_folder_that_is_a_link_is_not_entered(folder: Path) -> None:
    (folder / "data" / "my table.csv").unlink()
    (folder / "data").rmdir()
    (folder / "data").symlink_to("/etc")
    assert list(read_folder(folder).files) == ["exercises.ipynb"]


ODD_NAMES = ["new\nline.txt", "\u202egpj.exe", "trailing ", "a\\b", "zero\u200bwidth"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_left_out_and_shown_harmlessly(folder: Path, name: str) -> None:
    (folder / name).write_text("x")
    read = read_folder(folder)
    assert read.files == GOOD
    assert len(read.problems) == 1
    assert read.problems[0].text.isprintable()


def test_a_name_that_is_no_text_is_left_out(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.txt")).write_text("x")
    read = read_folder(folder)
    assert read.files == GOOD
    assert read.problems[0].kind == "name"


def test_names_that_differ_in_capitals_alone_are_one(folder: Path) -> None:
    (folder / "Exercises.IPYNB").write_text("x")
    read = read_folder(folder)
    assert list(kinds(read)) == ["Exercises.IPYNB"]
    assert read.files == GOOD


def test_a_notebook_of_150_mb_is_not_read(folder: Path) -> None:
    huge = folder / "huge.ipynb"
    with huge.open("wb") as file:
        file.truncate(150_000_000)
    before = huge.stat().st_blocks
    read = read_folder(folder)
    assert read.files == GOOD
    assert kinds(read) == {"huge.ipynb": "notebook-size"}
    assert before == huge.stat().st_blocks == 0


def test_notebooks_come_before_data_when_there_is_too_much(folder: Path) -> None:
    (folder / "a.bin").write_bytes(b"x" * 50)
    read = read_folder(folder, FileLimits(max_bytes=10))
    assert read.files == GOOD
    assert kinds(read) == {"a.bin": "size"}


def test_too_many_files_are_cut_off(folder: Path) -> None:
    for number in range(30):
        (folder / f"{number:02}.txt").touch()
    read = read_folder(folder, FileLimits(max_files=3))
    assert len(read.files) == 3
    assert "exercises.ipynb" in read.files or len(read.problems) > 10
    assert {problem.kind for problem in read.problems} == {"count"}


def test_endless_folders_are_not_walked(folder: Path) -> None:
    deep = folder
    for _ in range(40):
        deep = deep / "d"
        deep.mkdir()
    read = read_folder(folder)
    assert read.files == GOOD
    assert [problem.kind for problem in read.problems] == ["name"]


def test_what_jupyter_leaves_behind_is_no_part_of_it(folder: Path) -> None:
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "exercises-checkpoint.ipynb").write_text("old")
    assert read_folder(folder) == SubmittedFiles(GOOD, ())


def test_a_problem_is_told_in_french_too() -> None:
    problem = FileProblem("name", "../up", FileNames().problem("../up"))
    assert problem.told("fr") == "../up ne peut pas être utilisé : son nom mène hors du dossier."


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        read_folder(tmp_path / "missing")
