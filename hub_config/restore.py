"""A deployment from its backup: checked first, then there as a whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from course.archive import fsync_folder
from course.database import Database
from course.errors import Conflict, CourseError, FileProblems, NotFound
from course.state import StateFolder
from hub_config.backup import CHUNK_BYTES, FORMAT, MANIFEST, Manifest
from hub_config.hub_process import refuse_a_second

SHOWN_PROBLEMS = 20


def restore(state: StateFolder, source: Path) -> Manifest:
    """Make the state folder that `source` is a backup of; return what the backup says of itself.

    Owners are kept when root restores. The database is brought up to date when an older release made it.

    Raises:
        Conflict: A hub runs on the state folder, it is not empty, or a disk is mounted there; or the backup
            is of a hub that another kind of user runs.
        NotFound: There is no such backup.
        FileProblems: The file is damaged, or is no backup. Nothing is left of it.
        CourseError: It cannot be written.
    """
    refuse_a_second(state)
    if state.root.exists() and any(state.root.iterdir()):
        raise Conflict(
            f"{state.root} is not empty.", "Move it away, or restore to another folder with --state-dir."
        )
    if state.root.is_mount():
        raise Conflict(f"{state.root} is where a disk is mounted.", "Restore to a folder below it.")
    if not source.is_file():
        raise NotFound(f"There is no backup {source}.")
    state.root.parent.mkdir(parents=True, exist_ok=True)
    with _staging(state.root) as staging:
        manifest = _unpacked(source, staging)
        Database(StateFolder(staging).database_url).close()
        for secret in StateFolder(staging).secrets_dir.glob("*"):
            secret.chmod(0o600)
        staging.chmod(0o700)
        os.sync()
        staging.rename(state.root)
        fsync_folder(state.root.parent)
    return manifest


@contextmanager
def _staging(root: Path) -> Iterator[Path]:
    """Give a folder beside `root`; it is gone at the end, unless it was renamed."""
    staging = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        yield staging
    except OSError as error:
        raise CourseError(
            f"The backup was not restored: {error}.", f"Is there space in {root.parent}?"
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _unpacked(source: Path, folder: Path) -> Manifest:
    reader = _Reader(folder)
    try:
        with tarfile.open(source, "r:gz") as tar:
            for entry in tar:
                reader.read(tar, entry)
    except (tarfile.TarError, EOFError, zlib.error, UnicodeError) as error:
        raise FileProblems(source, [f"it is damaged: {error}"], "Use another backup.") from error
    except OSError as error:
        # gzip tells of damage by an OSError without a number.
        if error.errno is not None:
            raise
        raise FileProblems(source, [f"it is damaged: {error}"], "Use another backup.") from error
    manifest = reader.manifest
    if manifest is None:
        raise FileProblems(source, ["its end is missing, or it is no backup"], "Use another backup.")
    if manifest.by_root != (os.geteuid() == 0):
        who = "root" if manifest.by_root else "an ordinary user"
        raise Conflict(f"The backup is of a hub that {who} runs.", f"Restore it as {who}.")
    different = sorted(dict(manifest.files.items() ^ reader.digests.items()))
    if different:
        problems = [f"{path!r}: not what was backed up" for path in different[:SHOWN_PROBLEMS]]
        raise FileProblems(source, problems, "Use another backup.")
    reader.finish()
    return manifest


@dataclass
class _Reader:
    """Writes entries below a folder, each new, links last so that none leads a file elsewhere."""

    folder: Path
    digests: dict[str, str] = field(default_factory=dict)
    manifest: Manifest | None = None
    _later: list[tarfile.TarInfo] = field(default_factory=list)
    _links: set[str] = field(default_factory=set)

    def read(self, tar: tarfile.TarFile, entry: tarfile.TarInfo) -> None:
        path = PurePosixPath(entry.name)
        is_outside = not path.parts or path.is_absolute() or ".." in path.parts
        is_behind_link = any(str(parent) in self._links for parent in path.parents)
        if is_outside or is_behind_link or self.manifest is not None:
            raise tarfile.ReadError(f"{entry.name[:100]!r} has no place in it")
        if entry.isdir():
            (self.folder / entry.name).mkdir(mode=0o700, exist_ok=True)
            self._later.append(entry)
        elif entry.issym():
            self._later.append(entry)
            self._links.add(str(path))
        elif entry.isreg() and (content := tar.extractfile(entry)) is not None:
            if entry.name == MANIFEST:
                self.manifest = _manifest(content)
            else:
                self._write(entry, content)
        else:
            raise tarfile.ReadError(f"{entry.name[:100]!r} is of a kind that no backup has")

    def finish(self) -> None:
        """Make the links, then give folders their modes, inner ones first: one may be closed for writing."""
        for entry in self._later:
            if entry.issym():
                path = self.folder / entry.name
                path.symlink_to(entry.linkname)
                if os.geteuid() == 0:
                    os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
        for entry in reversed(self._later):
            if entry.isdir():
                path = self.folder / entry.name
                if os.geteuid() == 0:
                    os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
                path.chmod(entry.mode & 0o777)
                _set_time(path, entry)

    def _write(self, entry: tarfile.TarInfo, content: IO[bytes]) -> None:
        path = self.folder / entry.name
        # The databases come before the folders that they lie in.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            while chunk := content.read(CHUNK_BYTES):
                file.write(chunk)
                digest.update(chunk)
            if os.geteuid() == 0:
                os.fchown(file.fileno(), entry.uid, entry.gid)
            os.fchmod(file.fileno(), entry.mode & 0o777)
        _set_time(path, entry)
        self.digests[entry.name] = digest.hexdigest()


def _set_time(path: Path, entry: tarfile.TarInfo) -> None:
    # A member can give a file a time that no call takes back.
    with suppress(OverflowError):
        os.utime(path, (entry.mtime, entry.mtime))


def _manifest(content: IO[bytes]) -> Manifest:
    try:
        found: dict[str, Any] = json.loads(content.read())
        if found["format"] == FORMAT:
            return Manifest(**found)
    except (ValueError, TypeError, KeyError) as error:
        raise tarfile.ReadError(f"{MANIFEST} cannot be read") from error
    raise tarfile.ReadError(f"its format is {found['format']!r}, this release reads {FORMAT}")
