"""One file with everything of a deployment, made while its hub runs.

Databases come first, and `spoc.sqlite` before the others: files are safe on disk before a row speaks of them,
and a score is in the gradebook before the submission counts as graded. So what is copied later may be newer
than the rows, never missing; what has no row yet is set aside or done again when the restored hub starts.
Folders go by name, so `.grading/` before `autograded/`, into which it is renamed.

A home belongs to a hostile member who works in it meanwhile: no link is followed, no file is read for longer
than it was when it was opened, and what changes under the walk does not stop it.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import secrets
import sqlite3
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from course.archive import fsync_folder
from course.errors import Conflict, CourseError, NotFound
from course.state import StateFolder

FORMAT = 1
MANIFEST = "MANIFEST.json"
DATABASES = ("spoc.sqlite", "course/gradebook.db", "hub/jupyterhub.sqlite")
"""In the order in which they are copied."""

# Locks, logs and what is half received: nothing that the next start misses.
LEFT_OUT = frozenset({"worker.lock", "hub/lock", "hub/servers", "submissions/.incoming", MANIFEST})
SQLITE_COMPANIONS = ("-wal", "-shm", "-journal")
MAX_DEPTH = 100
"""A member can nest folders until the walk runs out of file descriptors."""
MAX_PATH_BYTES = 3000
"""A member can make longer ones than the system takes as a whole: they could not be restored."""
UNREADABLE = frozenset(
    {
        *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO),
        # A link that is none any more.
        errno.EINVAL,
    }
)
"""How reading fails for what its owner has closed, or changed since the walk saw it."""
IN_MEMORY_BYTES = 16 * 1024 * 1024
BUSY_SECONDS = 60
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself; its last entry.

    `made_at` is when the first database was copied; `files` has the SHA-256 of each file by path.
    """

    format: int
    release: str
    made_at: str
    by_root: bool
    files: dict[str, str]

    def as_json(self) -> bytes:
        return json.dumps(asdict(self)).encode("ascii")


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made; `left_out` says what of homes could not be read, each as "where: why"."""

    path: Path
    files: int
    size_bytes: int
    left_out: tuple[str, ...]


def back_up(state: StateFolder, target: Path) -> Backup:
    """Write everything of a deployment to `target`, mode 0600, whole or not at all.

    Raises:
        NotFound: There is no deployment, or no folder for the backup.
        Conflict: The file exists, or would be part of itself.
        CourseError: It cannot be written.
    """
    _refuse(state, target)
    with (
        _draft(target) as (file, folder),
        tarfile.open(fileobj=file, mode="w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as tar,
    ):
        writer = _Writer(tar, folder)
        made_at = datetime.now(UTC).isoformat()
        for name in DATABASES:
            writer.add_database(state.root, name)
        writer.add_tree(state.root)
        is_root = os.geteuid() == 0
        writer.add_manifest(Manifest(FORMAT, version("jupyter-spoc"), made_at, is_root, writer.digests))
    return Backup(target, len(writer.digests), target.stat().st_size, tuple(writer.left_out))


def _refuse(state: StateFolder, target: Path) -> None:
    if not (state.root / DATABASES[0]).exists():
        raise NotFound(f"There is no deployment in {state.root}.", "Name its folder with --state-dir.")
    if os.path.lexists(target):
        raise Conflict(f"{target} exists already.", "Give the backup another name.")
    if not target.parent.is_dir():
        raise NotFound(f"There is no folder {target.parent}.", "Make it first.")
    if target.resolve().is_relative_to(state.root.resolve()):
        raise Conflict(
            "The backup would lie in what it is a backup of.", "Choose a place outside of the state folder."
        )


@contextmanager
def _draft(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Give a file that becomes `target` when the block succeeds, and a folder for the time until then."""
    draft = target.with_name(f".{target.name}-{secrets.token_hex(8)}")
    try:
        with (
            os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
            tempfile.TemporaryDirectory(prefix=".spoc-backup-", dir=target.parent) as folder,
        ):
            yield file, Path(folder)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        fsync_folder(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise CourseError(
            f"The backup was not written: {error}.",
            f"Nothing is left of it. Is there space in {target.parent}? See also: spoc doctor",
        ) from error
    finally:
        draft.unlink(missing_ok=True)


@dataclass
class _Writer:
    """Adds to one archive, and remembers what."""

    tar: tarfile.TarFile
    folder: Path
    digests: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def add_database(self, root: Path, name: str) -> None:
        """Add the state that a database has at this moment, if it is there."""
        source, copy = root / name, self.folder / "copy.sqlite"
        if not source.is_file() or source.is_symlink():
            return
        with (
            closing(
                sqlite3.connect(f"{source.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)
            ) as original,
            closing(sqlite3.connect(copy)) as copied,
        ):
            original.backup(copied)
        with copy.open("rb") as file:
            self._add(name, file, source.stat(), copy.stat().st_size)
        copy.unlink()

    def add_tree(self, root: Path) -> None:
        """Add every folder, regular file and link below `root`, without following one."""
        for path, folders, files, descriptor in os.fwalk(root, onerror=self._note):
            where = Path(path).relative_to(root)
            folders.sort()
            # A name may be listed twice while files are renamed, and what was a folder be a link by now.
            names = dict.fromkeys([*folders, *sorted(files)])
            kinds = {name: self._kind_added(where, name, descriptor) for name in names}
            folders[:] = [name for name in dict.fromkeys(folders) if kinds[name] == tarfile.DIRTYPE]
            if len(where.parts) >= MAX_DEPTH and folders:
                self.left_out.append(f"{str(where)!r}: folders are nested more than {MAX_DEPTH} deep")
                folders.clear()

    def add_manifest(self, manifest: Manifest) -> None:
        content = manifest.as_json()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size, entry.mode = len(content), 0o600
        self.tar.addfile(entry, io.BytesIO(content))

    def _kind_added(self, where: Path, name: str, folder: int) -> bytes | None:
        """Add an entry if it can be read; return of what kind it was then."""
        try:
            return self._add_entry(str(where / name), name, folder)
        except OSError as error:
            if error.errno not in UNREADABLE:
                raise
            self._note(error, str(where / name))
            return None

    def _add_entry(self, path: str, name: str, folder: int) -> bytes | None:
        if path in self.digests or _is_left_out(path):
            return None
        if len(os.fsencode(path)) > MAX_PATH_BYTES:
            self.left_out.append(f"{path[:100]!r}...: its path is longer than {MAX_PATH_BYTES} bytes")
            return None
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(found.st_mode):
            self.tar.addfile(_entry(path, found, tarfile.DIRTYPE))
            return tarfile.DIRTYPE
        if stat.S_ISLNK(found.st_mode):
            entry = _entry(path, found, tarfile.SYMTYPE)
            entry.linkname = os.readlink(name, dir_fd=folder)
            self.tar.addfile(entry)
            return tarfile.SYMTYPE
        if stat.S_ISREG(found.st_mode):
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
            with os.fdopen(descriptor, "rb") as file:
                opened = os.fstat(descriptor)
                if stat.S_ISREG(opened.st_mode):
                    self._add(path, file, opened, opened.st_size)
                    return tarfile.REGTYPE
        return None

    def _add(self, path: str, file: BinaryIO, found: os.stat_result, size: int) -> None:
        """Add what can be read of `size` bytes: the file may shrink meanwhile, an archive's entry cannot."""
        digest, rest = hashlib.sha256(), size
        with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES, dir=str(self.folder)) as content:
            while rest and (chunk := file.read(min(CHUNK_BYTES, rest))):
                content.write(chunk)
                digest.update(chunk)
                rest -= len(chunk)
            entry = _entry(path, found, tarfile.REGTYPE)
            entry.size = size - rest
            content.seek(0)
            self.tar.addfile(entry, content)
        self.digests[path] = digest.hexdigest()

    def _note(self, error: OSError, path: str | None = None) -> None:
        if not isinstance(error, FileNotFoundError):
            self.left_out.append(f"{path or error.filename!r}: {error.strerror}")


def _entry(path: str, found: os.stat_result, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.type = kind
    entry.mode = stat.S_IMODE(found.st_mode) & 0o777
    entry.uid, entry.gid, entry.mtime = found.st_uid, found.st_gid, int(found.st_mtime)
    return entry


def _is_left_out(path: str) -> bool:
    logs = path.startswith("hub/hub.log")
    companion = any(path == name + suffix for name in DATABASES for suffix in SQLITE_COMPANIONS)
    return path in LEFT_OUT or logs or companion
