"""The files of what was handed in: `<id>/files/` and `<id>/receipt.json`, whole or not there.

A submission is written and made durable under `.incoming/`; a rename then gives it its place, for good.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from course.api import Receipt, SubmittedFile
from course.archive import fsync_folder, unpack
from course.errors import Conflict

_INCOMING = ".incoming"
_UNKNOWN = ".unknown"
_CHUNK_BYTES = 1024 * 1024
_log = logging.getLogger("spoc.submissions")


class Draft:
    """The files of one submission, durable, and not yet in their place."""

    def __init__(self, folder: Path, files: tuple[SubmittedFile, ...]) -> None:
        self.folder = folder
        self.files = files


class SubmissionFolder:
    """Folders of submissions below `root`, one for each."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open_upload(self) -> BinaryIO:
        """Return a file without a name on the same disk, for an archive as it comes."""
        self._make_root()
        return tempfile.TemporaryFile(dir=self._root)

    @contextmanager
    def draft(self, archive: BinaryIO) -> Iterator[Draft]:
        """Unpack an archive; what has not been kept when the block is left is removed.

        Raises:
            CourseError: The archive is refused, see `course.archive.unpack`.
        """
        self._make_root()
        folder = self._root / _INCOMING / str(uuid4())
        folder.mkdir(parents=True, mode=0o700)
        try:
            (folder / "files").mkdir(mode=0o700)
            yield Draft(folder, unpack(archive, folder / "files"))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, draft: Draft, receipt: Receipt) -> None:
        """Give a draft its place; when this returns, it survives a power cut.

        Raises:
            Conflict: The place is taken.
        """
        _write_durably(draft.folder / "receipt.json", receipt.model_dump_json(indent=1))
        fsync_folder(draft.folder)
        try:
            draft.folder.rename(self._root / str(receipt.submission))
        except OSError as error:
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
                raise Conflict(
                    "This submission is being received already.", "Wait a minute, then look at your list."
                ) from error
            raise
        try:
            fsync_folder(self._root)
        except OSError:
            self.remove(receipt.submission)
            raise

    def remove(self, number: UUID) -> None:
        """Remove what was kept and never acknowledged."""
        shutil.rmtree(self._root / str(number))

    def files_dir(self, number: UUID) -> Path:
        """Return the folder with the files of a submission, as they were sent; not to be changed."""
        return self._root / str(number) / "files"

    def packed(self, receipt: Receipt) -> BinaryIO:
        """Return the files of a submission as a zip, to read from its beginning; close it in the end."""
        packed = tempfile.TemporaryFile()  # noqa: SIM115 -- whoever asked closes it
        try:
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
                for file in receipt.files:
                    entry = zipfile.ZipInfo(file.path, receipt.received_at.timetuple()[:6])
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    source = self.files_dir(receipt.submission) / file.path
                    with source.open("rb") as content, target.open(entry, "w") as packed_file:
                        shutil.copyfileobj(content, packed_file)
            packed.seek(0)
        except BaseException:
            packed.close()
            raise
        return packed

    def differences(self, receipt: Receipt) -> tuple[str, ...]:
        """Return what on disk is not as the receipt says, by path; nothing where all is well."""
        folder = self.files_dir(receipt.submission)
        promised = {file.path: file.sha256 for file in receipt.files}
        found = {
            str(path.relative_to(folder)): _sha256(path)
            for path in sorted(folder.rglob("*"))
            if path.is_symlink() or not path.is_dir()
        }
        return tuple(
            sorted(path for path in promised.keys() | found.keys() if promised.get(path) != found.get(path))
        )

    def sweep(self, known: Collection[str]) -> None:
        """Remove what a crash left half received; only while nothing is received.

        Somebody may hold the receipt of a submission that the database does not know, say an older one that
        was restored: it is set aside in `.unknown/`, for a person to look at.
        """
        shutil.rmtree(self._root / _INCOMING, ignore_errors=True)
        for path in sorted(self._root.iterdir()) if self._root.exists() else ():
            if path.name in known or path.name == _UNKNOWN:
                continue
            if path.is_symlink() or not path.is_dir():
                _log.warning("%s is no submission; it stays where it is", path)
                continue
            aside = self._root / _UNKNOWN / path.name
            if aside.exists():
                aside = aside.with_name(f"{path.name}-{uuid4()}")
            aside.parent.mkdir(mode=0o700, exist_ok=True)
            path.rename(aside)
            _log.warning("the database does not know submission %s; it is now in %s", path.name, aside)

    def _make_root(self) -> None:
        if not self._root.exists():
            self._root.mkdir(parents=True, mode=0o700, exist_ok=True)
            fsync_folder(self._root.parent)


def checksum(files: Iterable[SubmittedFile]) -> str:
    """Return what a receipt's `sha256` is for these files: over sha256sum's lines, by path."""
    lines = "".join(f"{file.sha256}  {file.path}\n" for file in sorted(files, key=lambda file: file.path))
    return hashlib.sha256(lines.encode()).hexdigest()


def _sha256(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        return "no regular file"
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _write_durably(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
