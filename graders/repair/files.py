"""The files of a submission, taken in as content: regular files with plain names, within bounds.

What is refused is named, each file by itself, and keeps no other from being graded.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from types import MappingProxyType

from course.archive import MAX_DEPTH, FileNames, shown
from course.language import translator
from graders.repair.document import MAX_NOTEBOOK_BYTES
from graders.repair.report import SURFACE

IGNORED = (".ipynb_checkpoints", "*.pyc", "__pycache__", ".pytest_cache")
"""nbgrader's default: left out without a word."""

PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "link": "{name} is a link; links are not followed.",
        "hard-link": "{name} is a hard link to a file that is elsewhere too; hand in a copy.",
        "kind": "{name} is neither a file nor a folder.",
        "name": "{name} cannot be used: {reason}.",
        "unreadable": "{name} cannot be read.",
        "notebook-size": "{name} is too large for a notebook; clear its outputs.",
        "size": "{name} is left out: the files are too large together.",
        "count": "{name} is left out: there are too many files.",
    }
)
_KINDS = {stat.S_IFLNK: "link", stat.S_IFREG: "", stat.S_IFDIR: ""}


@dataclass(frozen=True, slots=True)
class FileLimits:
    """How much one submission may hold."""

    max_files: int = 1_000
    max_bytes: int = 100 * 1024 * 1024
    max_notebook_bytes: int = MAX_NOTEBOOK_BYTES

    @property
    def max_entries(self) -> int:
        """Names that are looked at; a folder may hold millions."""
        return 5 * self.max_files


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Why a file is left out: a key of `PROBLEMS`; `name` is fit to be shown."""

    kind: str
    name: str
    reason: str = ""

    @property
    def text(self) -> str:
        """The sentence in English."""
        return self.told("en")

    def told(self, language: str) -> str:
        """Return the sentence in a language of `course.language`."""
        translate = translator(SURFACE, language)
        return translate(PROBLEMS[self.kind]).format(name=self.name, reason=translate(self.reason))


@dataclass(frozen=True, slots=True)
class SubmittedFiles:
    """What is used of a submission, by relative path with `/`, and what is not."""

    files: Mapping[str, bytes]
    problems: tuple[FileProblem, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    status: os.stat_result


def read_folder(
    folder: Path, limits: FileLimits = FileLimits(), ignore: Sequence[str] = IGNORED
) -> SubmittedFiles:
    """Read the files below a folder that learners can write; waits for no pipe, follows no link.

    Args:
        folder: The submission, itself no link either.
        limits: How much is read; notebooks come first.
        ignore: Patterns of names that are no part of a submission.

    Raises:
        OSError: The folder itself cannot be read.
    """
    problems: list[FileProblem] = []
    entries: list[_Entry] = []
    for number, entry in enumerate(_walk(folder, ignore, problems)):
        if number >= limits.max_entries:
            problems.append(FileProblem("count", shown(entry.name)))
            break
        entries.append(entry)
    names = FileNames()
    files: dict[str, bytes] = {}
    left = limits.max_bytes
    owner = folder.stat().st_uid
    for entry in sorted(entries, key=lambda each: (not _is_notebook(each.name), each.name)):
        problem = _problem_of_kind(entry, owner) or _problem_of_name(entry.name, names)
        problem = problem or _problem_of_size(entry.name, entry.status.st_size, limits, len(files), left)
        content = b"" if problem else _read(folder, entry.name, entry.status)
        if content is None:
            problem = FileProblem("unreadable", shown(entry.name))
        if problem:
            problems.append(problem)
        elif content is not None:
            files[entry.name] = content
            left -= len(content)
    return SubmittedFiles(files, tuple(problems))


def _walk(folder: Path, ignore: Sequence[str], problems: list[FileProblem]) -> Iterator[_Entry]:
    """Yield everything below `folder` but folders, as `lstat` sees it, shallow ones first."""
    pending = [""]
    while pending:
        inside = pending.pop(0)
        try:
            handle = _open_below(folder, inside, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            if not inside:
                raise
            problems.append(FileProblem("unreadable", shown(inside)))
            continue
        try:
            with os.scandir(handle) as found:
                for each in found:
                    if any(fnmatch(each.name, pattern) for pattern in ignore):
                        continue
                    name = f"{inside}/{each.name}" if inside else each.name
                    if not each.is_dir(follow_symlinks=False):
                        yield _Entry(name, each.stat(follow_symlinks=False))
                    elif name.count("/") < MAX_DEPTH:
                        pending.append(name)
                    else:
                        problems.append(
                            FileProblem("name", shown(name), f"more than {MAX_DEPTH} folders deep")
                        )
        finally:
            os.close(handle)


def _open_below(folder: Path, name: str, flags: int) -> int:
    """Open what is below `folder` one step after another, since any step can become a link meanwhile."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    steps = name.split("/") if name else []
    for index, step in enumerate(steps):
        is_last = index == len(steps) - 1
        wanted = flags if is_last else os.O_RDONLY | os.O_DIRECTORY
        try:
            inner = os.open(step, wanted | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=handle)
        finally:
            os.close(handle)
        handle = inner
    return handle


def _problem_of_kind(entry: _Entry, owner: int) -> FileProblem | None:
    kind = _KINDS.get(stat.S_IFMT(entry.status.st_mode), "kind")
    # That a file has more names says nothing against it: somebody linked to it, or a backup did. What is of
    # another owner, though, has not been written by who handed this folder in.
    if not kind and entry.status.st_nlink > 1 and entry.status.st_uid != owner:
        kind = "hard-link"
    return FileProblem(kind, shown(entry.name)) if kind else None


def _problem_of_name(name: str, names: FileNames) -> FileProblem | None:
    reason = names.problem(name)
    return FileProblem("name", shown(name), reason) if reason else None


def _problem_of_size(name: str, size: int, limits: FileLimits, count: int, left: int) -> FileProblem | None:
    if _is_notebook(name) and size > limits.max_notebook_bytes:
        return FileProblem("notebook-size", shown(name))
    if size > left:
        return FileProblem("size", shown(name))
    return FileProblem("count", shown(name)) if count >= limits.max_files else None


def _read(folder: Path, name: str, seen: os.stat_result) -> bytes | None:
    """Return the content of the very file that was looked at; None if it is another one now."""
    try:
        handle = _open_below(folder, name, os.O_RDONLY)
    except OSError:
        return None
    with open(handle, "rb") as file:
        now = os.fstat(handle)
        if (now.st_ino, now.st_dev) != (seen.st_ino, seen.st_dev) or not stat.S_ISREG(now.st_mode):
            return None
        return file.read(seen.st_size)


def _is_notebook(name: str) -> bool:
    return name.endswith(".ipynb")
