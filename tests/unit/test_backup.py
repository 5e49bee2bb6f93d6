"""A backup is whole or not there, and what is restored from it is what was backed up."""

from __future__ import annotations

import gzip
import io
import os
import sqlite3
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from course.database import Database
from course.errors import Conflict, CourseError, FileProblems, NotFound
from course.roster import Roster
from course.state import StateFolder
from hub_config import backup
from hub_config.backup import MANIFEST, back_up
from hub_config.restore import restore
from hub_config.secrets import secret
from tests.quizzes import deploy_quiz

pytestmark = pytest.mark.quick


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """A deployment with a home."""
    state = deploy_quiz(tmp_path / "deployed", ["ada"])
    secret(state, "cookies")
    (state.homes_dir / "ada" / "notes").mkdir(parents=True)
    (state.homes_dir / "ada" / "notes" / "été.txt").write_text("warm")
    return state


@pytest.fixture
def elsewhere(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "elsewhere" / "state")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "monday.tar.gz"


@pytest.fixture(autouse=True)
def deployed_folder(tmp_path: Path) -> None:
    (tmp_path / "deployed").mkdir()


def files_in(root: Path) -> dict[str, bytes]:
    """Return what lies below `root`; of databases only that they are there."""
    return {
        str(path.relative_to(root)): b"" if path.suffix == ".sqlite" else path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def changed(
    source: Path, change: Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes] | None]
) -> None:
    """Write an archive again, each entry as `change` returns it."""
    with tarfile.open(source) as tar:
        entries = [(entry, tar.extractfile(entry) if entry.isreg() else None) for entry in tar]
        read = [(entry, content.read() if content else b"") for entry, content in entries]
    with tarfile.open(source, "w:gz") as tar:
        for entry, content in read:
            if (new := change(entry, content)) is not None:
                new[0].size = len(new[1])
                tar.addfile(new[0], io.BytesIO(new[1]))


def test_what_is_restored_is_what_was_backed_up(
    state: StateFolder, elsewhere: StateFolder, target: Path
) -> None:
    made = back_up(state, target)
    assert made.left_out == ()
    manifest = restore(elsewhere, target)
    assert files_in(elsewhere.root) == files_in(state.root)
    assert len(manifest.files) == made.files
    with closing(Database(elsewhere.database_url)) as database:
        assert [member.name for member in Roster(database).members()] == ["ada", "tia"]
    assert [path.name for path in elsewhere.root.parent.iterdir()] == ["state"], "nothing is left beside it"


def test_only_the_operator_reads_backup_and_secrets(
    state: StateFolder, elsewhere: StateFolder, target: Path
) -> None:
    (state.secrets_dir / "cookies").chmod(0o644)
    back_up(state, target)
    restore(elsewhere, target)
    modes = {
        path: stat.S_IMODE(path.stat().st_mode) for path in (target, elsewhere.root, elsewhere.secrets_dir)
    }
    assert list(modes.values()) == [0o600, 0o700, 0o700]
    assert stat.S_IMODE((elsewhere.secrets_dir / "cookies").stat().st_mode) == 0o600
    assert secret(elsewhere, "cookies") == secret(state, "cookies")


def test_what_a_row_speaks_of_is_copied_after_the_row(state: StateFolder, target: Path) -> None:
    for name in ("submissions/1", "course/autograded/ada", "course/.grading/incoming"):
        (state.root / name).mkdir(parents=True)
        (state.root / name / "file").touch()
    with closing(sqlite3.connect(state.course_dir / "gradebook.db")) as gradebook:
        gradebook.execute("CREATE TABLE cell (id)")
    back_up(state, target)
    with tarfile.open(target) as tar:
        names = tar.getnames()
    order = [
        "spoc.sqlite",
        "course/gradebook.db",
        "course/.grading/incoming/file",
        "course/autograded/ada/file",
        "submissions/1/file",
        MANIFEST,
    ]
    assert [name for name in names if name in order] == order


def test_a_home_cannot_lead_the_backup_outside_or_stop_it(
    state: StateFolder, elsewhere: StateFolder, target: Path, tmp_path: Path
) -> None:
    home = state.homes_dir / "ada"
    (tmp_path / "shadow").write_text("root's")
    (home / "link").symlink_to(tmp_path / "shadow")
    (home / "folder").symlink_to("/etc")
    (home / "loop").symlink_to("loop")
    os.mkfifo(home / "pipe")
    (home / os.fsdecode(b"\xff\n")).write_text("odd")
    (home / "tool").write_text("")
    (home / "tool").chmod(0o4755)
    deepest = home
    with suppress(OSError):
        for _ in range(backup.MAX_DEPTH + 5):
            deepest = deepest / "d"
            deepest.mkdir()
    made = back_up(state, target)
    assert [remark for remark in made.left_out if "nested" not in remark] == []
    assert len(made.left_out) == 1
    restore(elsewhere, target)
    restored = elsewhere.homes_dir / "ada"
    assert os.readlink(restored / "link") == str(tmp_path / "shadow")
    assert os.readlink(restored / "folder") == "/etc"
    assert (restored / os.fsdecode(b"\xff\n")).read_text() == "odd"
    assert not (restored / "pipe").exists()
    assert stat.S_IMODE((restored / "tool").stat().st_mode) == 0o755
    with gzip.open(target) as file:
        assert b"root's" not in file.read()


def test_a_file_that_shrinks_while_it_is_read_does_not_break_the_archive(
    state: StateFolder, elsewhere: StateFolder, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner cuts it between the moment it is opened and the moment it is read."""
    path, fstat = state.homes_dir / "ada" / "notes" / "été.txt", os.fstat

    def cut_then_stat(descriptor: int) -> os.stat_result:
        found = fstat(descriptor)
        if found.st_ino == path.stat().st_ino:
            os.truncate(path, 2)
        return found

    monkeypatch.setattr(os, "fstat", cut_then_stat)
    back_up(state, target)
    restore(elsewhere, target)
    assert (elsewhere.homes_dir / "ada" / "notes" / "été.txt").read_text() == "wa"


def test_a_folder_that_is_a_link_for_a_moment_is_not_walked_into(
    state: StateFolder, elsewhere: StateFolder, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner swaps it when the walk has seen a folder, and back when the walk has noted a link."""
    folder, aside = state.homes_dir / "ada" / "notes", state.homes_dir / "aside"
    find, read_link = os.stat, os.readlink

    def swap_then_stat(path: str, **how: Any) -> os.stat_result:
        if path == "notes" and not aside.exists():
            folder.rename(aside)
            folder.symlink_to("/etc")
        return find(path, **how)

    def read_then_swap(path: str, **how: Any) -> str:
        text = read_link(path, **how)
        folder.unlink()
        aside.rename(folder)
        return text

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", swap_then_stat)
        patched.setattr(os, "readlink", read_then_swap)
        back_up(state, target)
    restore(elsewhere, target)
    assert os.readlink(elsewhere.homes_dir / "ada" / "notes") == "/etc"


def test_what_is_listed_twice_is_there_once(
    state: StateFolder, elsewhere: StateFolder, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a folder may be while names in it change."""
    (state.homes_dir / "ada" / "link").symlink_to("notes")
    walk = os.fwalk

    def walk_twice(*where: Any, **how: Any) -> Iterator[Any]:
        for path, folders, files, descriptor in walk(*where, **how):
            folders *= 2
            yield path, folders, files * 2, descriptor

    monkeypatch.setattr(os, "fwalk", walk_twice)
    back_up(state, target)
    restore(elsewhere, target)
    assert files_in(elsewhere.root) == files_in(state.root)


def test_a_time_that_no_call_takes_does_not_keep_a_backup_from_being_restored(
    state: StateFolder, elsewhere: StateFolder, target: Path
) -> None:
    """Some file systems give a file any time that its owner asks for."""
    back_up(state, target)

    def change(entry: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        entry.mtime = 2**63
        return entry, content

    changed(target, change)
    restore(elsewhere, target)
    assert files_in(elsewhere.root) == files_in(state.root)


def test_a_backup_replaces_nothing_and_is_not_part_of_itself(state: StateFolder, target: Path) -> None:
    target.write_text("tuesday")
    with pytest.raises(Conflict, match="exists"):
        back_up(state, target)
    assert target.read_text() == "tuesday"
    with pytest.raises(Conflict, match="in what it is a backup of"):
        back_up(state, state.root / "backup.tar.gz")
    with pytest.raises(NotFound, match="no deployment"):
        back_up(StateFolder(state.root.parent / "mistyped"), target.with_name("other"))


def test_a_backup_that_fails_leaves_nothing(
    state: StateFolder, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(CourseError, match="No space left"):
        back_up(state, target)
    assert [path.name for path in target.parent.iterdir()] == ["deployed"]


def test_a_folder_in_use_is_not_restored_to(state: StateFolder, target: Path) -> None:
    back_up(state, target)
    before = files_in(state.root)
    with pytest.raises(Conflict, match="is not empty"):
        restore(state, target)
    assert files_in(state.root) == before


@pytest.mark.parametrize("kept_bytes", [0, 100, -400])
def test_a_cut_backup_is_refused_and_leaves_nothing(
    state: StateFolder, elsewhere: StateFolder, target: Path, kept_bytes: int
) -> None:
    back_up(state, target)
    target.write_bytes(target.read_bytes()[:kept_bytes])
    with pytest.raises(FileProblems):
        restore(elsewhere, target)
    assert list(elsewhere.root.parent.iterdir()) == []


def test_a_changed_missing_or_added_file_is_named(
    state: StateFolder, elsewhere: StateFolder, target: Path
) -> None:
    back_up(state, target)

    def change(entry: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes] | None:
        if entry.name == "settings.yaml":
            return None
        return entry, b"cold" if entry.name.endswith("été.txt") else content

    changed(target, change)
    with pytest.raises(FileProblems) as refused:
        restore(elsewhere, target)
    assert [problem.split("'")[1] for problem in refused.value.problems] == [
        "homes/ada/notes/été.txt",
        "settings.yaml",
    ]
    assert list(elsewhere.root.parent.iterdir()) == []


@pytest.mark.parametrize("text", [b"{}", b"[]", b"{", b'{"format": 2}', b'{"format": 1, "files": {}}'])
def test_a_backup_of_another_kind_is_refused(
    state: StateFolder, elsewhere: StateFolder, target: Path, text: bytes
) -> None:
    back_up(state, target)
    changed(target, lambda entry, content: (entry, text if entry.name == MANIFEST else content))
    with pytest.raises(FileProblems, match=r"MANIFEST|format"):
        restore(elsewhere, target)


def test_a_mounted_folder_is_not_restored_to(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be replaced by the restored one."""
    folder = target.parent / "mounted"
    folder.mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path == folder)
    with pytest.raises(Conflict, match="mounted"):
        restore(StateFolder(folder), target)


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "homes/../../outside"])
def test_no_entry_lands_outside(state: StateFolder, elsewhere: StateFolder, target: Path, name: str) -> None:
    back_up(state, target)

    def change(entry: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if entry.name == "settings.yaml":
            entry.name = name
            entry.pax_headers = {}
        return entry, content

    changed(target, change)
    with pytest.raises(FileProblems, match="has no place in it"):
        restore(elsewhere, target)


def test_no_link_lands_behind_a_link(
    state: StateFolder, elsewhere: StateFolder, target: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (state.homes_dir / "ada" / "one").symlink_to(tmp_path / "outside")
    (state.homes_dir / "ada" / "two").symlink_to("anywhere")
    back_up(state, target)

    def change(entry: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        entry.name = entry.name.replace("ada/two", "ada/one/two")
        return entry, content

    changed(target, change)
    with pytest.raises(FileProblems, match="has no place in it"):
        restore(elsewhere, target)
    assert not list((tmp_path / "outside").iterdir())


def test_a_backup_of_a_newer_release_is_refused(
    state: StateFolder, elsewhere: StateFolder, target: Path
) -> None:
    with closing(sqlite3.connect(state.root / "spoc.sqlite")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    back_up(state, target)
    with pytest.raises(Conflict, match="newer release"):
        restore(elsewhere, target)
    assert list(elsewhere.root.parent.iterdir()) == []
