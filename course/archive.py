"""A folder sent as a tar by somebody who is not trusted: checked, written, made durable.

Only regular files with plain relative names come in; an archive with a single bad entry is refused as a
whole, with every bad entry named.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from course.api import SubmittedFile
from course.errors import CourseError, TooLarge

MAX_FILES = 200
MAX_BYTES = 50 * 1024 * 1024
MAX_NAME_BYTES = 255
MAX_DEPTH = 8
MAX_ARCHIVE_BYTES = MAX_BYTES + (MAX_FILES + 20) * 4096
"""What an archive within the limits can weigh: files, and for each its header, long name and padding."""

_SHOWN_PROBLEMS = 20
_CHUNK_BYTES = 1024 * 1024
# Control, format (right-to-left marks), surrogate, private and unassigned characters, line separators.
_ODD_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def unpack(archive: BinaryIO, folder: Path) -> tuple[SubmittedFile, ...]:
    """Write the files of an uncompressed tar below `folder`, which must exist and be empty, and fsync all.

    Returns:
        The files by path.

    Raises:
        CourseError: It is not a tar, is empty, or entries are refused, each named; `folder` holds rubbish.
        TooLarge: More than `MAX_FILES` files or `MAX_BYTES` bytes.
    """
    files: list[SubmittedFile] = []
    problems: list[str] = []
    names = FileNames()
    try:
        with tarfile.open(fileobj=archive, mode="r|") as tar:
            for number, entry in enumerate(tar, start=1):
                if number > MAX_FILES:
                    raise TooLarge(
                        f"More than {MAX_FILES} files.", "Remove files that the assignment does not need."
                    )
                problem = names.problem(entry.name) or _problem_of_kind(entry)
                if problem:
                    problems.append(f"{shown(entry.name)}: {problem}")
                    continue
                if entry.size + sum(file.size_bytes for file in files) > MAX_BYTES:
                    raise TooLarge(
                        f"The files weigh more than {MAX_BYTES // 2**20} MB, at {shown(entry.name)}.",
                        "Remove large files, or clear large outputs in the notebook.",
                    )
                files.append(_write(tar, entry, folder))
    # A hostile header can nest without end, overflow or break text decoding deep inside tarfile.
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError) as error:
        raise CourseError(
            "What was sent is not a complete uncompressed tar.", "Nothing was submitted; please submit again."
        ) from error
    if problems:
        raise CourseError(
            "These files cannot be submitted:\n" + _listed(problems),
            "Rename or remove them, then submit again. Nothing was submitted.",
        )
    if not files:
        raise CourseError("There is no file to submit.")
    for parent in _folders(folder, files):
        fsync_folder(parent)
    return tuple(sorted(files, key=lambda file: file.path))


def fsync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FileNames:
    """The names seen so far, so that no two mean one file anywhere."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def problem(self, name: str) -> str:
        """Return why `name` is refused, empty if it is not; remembers it."""
        problem = _problem_of_name(name)
        if problem:
            return problem
        folded = unicodedata.normalize("NFC", name).casefold()
        folders = {str(parent) for parent in PurePosixPath(folded).parents} - {"."}
        clash = folded in self._files or folded in self._folders or bool(folders & self._files)
        self._files.add(folded)
        self._folders |= folders
        return "the same name twice (capitals and accents do not tell names apart)" if clash else ""


def _problem_of_name(name: str) -> str:
    parts = name.split("/")
    if any(unicodedata.category(character) in _ODD_CATEGORIES for character in name):
        return "its name has invisible characters"
    if name.startswith("/"):
        return "its name is an absolute path"
    if ".." in parts:
        return "its name points out of the folder"
    if "\\" in name or any(part in ("", ".") or part != part.strip() for part in parts):
        return "its name is not a plain relative path"
    if len(parts) > MAX_DEPTH:
        return f"more than {MAX_DEPTH} folders deep"
    if any(len(part.encode()) > MAX_NAME_BYTES for part in parts):
        return f"its name is longer than {MAX_NAME_BYTES} bytes"
    return ""


def _problem_of_kind(entry: tarfile.TarInfo) -> str:
    if entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or entry.sparse is not None:
        return "not a regular file (a folder, link or device)"
    return "its size is wrong" if entry.size < 0 else ""


def _write(tar: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> SubmittedFile:
    source = tar.extractfile(entry)
    assert source is not None, "a regular file has content"
    path = folder / entry.name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    with path.open("xb") as target:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        os.fchmod(target.fileno(), 0o444)
        os.fsync(target.fileno())
    return SubmittedFile(path=entry.name, sha256=digest.hexdigest(), size_bytes=entry.size)


def _folders(folder: Path, files: list[SubmittedFile]) -> Iterator[Path]:
    relative = {parent for file in files for parent in PurePosixPath(file.path).parents}
    yield from (folder / parent for parent in sorted(relative, reverse=True))


def shown(name: str) -> str:
    """Return `name` fit for a message: on one line, nothing invisible, not endless."""
    plain = name if name.isprintable() else ascii(name)
    return plain if len(plain) <= 80 else f"{plain[:77]}..."


def _listed(problems: list[str]) -> str:
    lines = [f"  - {problem}" for problem in problems[:_SHOWN_PROBLEMS]]
    more = len(problems) - _SHOWN_PROBLEMS
    return "\n".join([*lines, f"  - and {more} more"] if more > 0 else lines)
