"""Where a submission is graded, and how the result gets into the course directory.

Trainers write in the course directory, from servers that run what learners wrote. So a worker of more power
than theirs neither works in it nor follows a link in it: it grades in a private folder laid out as nbgrader
expects, and the result is put in place by a process that runs as the owner of the course directory.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from course.errors import CourseError

STEPS = ("submitted", "autograded")
MAX_GRADED_BYTES = 64 * 1024 * 1024
_READING_SECONDS = 10

# Written by nbgrader or by Jupyter, never part of the learner's work.
_NOT_PLACED = frozenset({"timestamp.txt", "submission_secret.txt", ".ipynb_checkpoints"})

# Arguments: learner, assignment. Standard input: a tar of the folders of the steps, each put in place whole.
_PUT_IN_PLACE = """
set -eu
incoming=$(mktemp -d .placing-XXXXXXXX)
trap 'chmod -R u+rwX -- "$incoming"; rm -rf -- "$incoming"' EXIT
tar -x --no-same-owner -C "$incoming"
for step in submitted autograded; do
    [ -d "$incoming/$step" ] || continue
    mkdir -p "$step/$1"
    if [ -e "$step/$1/$2" ]; then mv -T -- "$step/$1/$2" "$incoming/old-$step"; fi
    mv -T -- "$incoming/$step" "$step/$1/$2"
done
"""


class Workbench:
    """A private nbgrader course directory for one submission."""

    def __init__(self, root: Path, learner: str, assignment: str) -> None:
        self.root = root
        self._learner = learner
        self._assignment = assignment

    def place(self, step: str) -> Path:
        """Return the submission's folder in a step of nbgrader's."""
        return self.root / step / self._learner / self._assignment

    def lay_out(
        self, files_dir: Path, source_dir: Path, notebooks: Iterable[str], received_at: datetime
    ) -> None:
        """Copy the submission, and what the author gave beside the notebooks, to where nbgrader looks.

        Args:
            files_dir: What was submitted.
            source_dir: The assignment in the course directory's `source`.
            notebooks: Names of the assignment's notebooks; others are left out.
            received_at: The time that nbgrader takes for the time of submission.
        """
        submitted = self.place("submitted")
        submitted.mkdir(parents=True)
        known = {f"{name}.ipynb" for name in notebooks}
        for path in _regular_files(files_dir):
            relative = path.relative_to(files_dir)
            unknown = path.suffix == ".ipynb" and str(relative) not in known
            if not unknown and not _NOT_PLACED.intersection(relative.parts):
                _copy(path, submitted / relative)
        stamp = received_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        (submitted / "timestamp.txt").write_text(stamp, encoding="utf-8")
        for path in _regular_files(source_dir):
            if path.suffix != ".ipynb":
                _copy(path, self.root / "source" / self._assignment / path.relative_to(source_dir))

    @property
    def graded_before(self) -> Path:
        """The folder for the submission's notebooks as they were graded last."""
        return self.root / "graded-before"

    def fetch_graded(self, course_dir: Path, notebooks: Iterable[str]) -> None:
        """Copy the notebooks that were graded last, where there are any, out of the course directory."""
        self.graded_before.mkdir()
        folder = Path("autograded", self._learner, self._assignment)
        for name in notebooks:
            file = f"{name}.ipynb"
            # A trainer may have put anything in its place: a link, a pipe, a file without end.
            command = [
                "/usr/bin/timeout",
                f"{_READING_SECONDS}",
                "/usr/bin/head",
                "-c",
                f"{MAX_GRADED_BYTES}",
            ]
            read = _as_owner([*command, "--", f"{folder / file}"], course_dir)
            if read.returncode == 0:
                (self.graded_before / file).write_bytes(read.stdout)

    def put_in_place(self, course_dir: Path) -> None:
        """Replace the submission's folders in the course directory by those of the workbench.

        Raises:
            CourseError: The owner of the course directory cannot write them.
        """
        command = ["/bin/sh", "-c", _PUT_IN_PLACE, "sh", self._learner, self._assignment]
        done = _as_owner(command, course_dir, self._packed())
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip()
            raise CourseError(f"The result cannot be written to {course_dir}: {reason}")

    def _packed(self) -> bytes:
        buffer = BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for step in STEPS:
                if self.place(step).is_dir():
                    tar.add(self.place(step), arcname=step, filter=_plain)
        return buffer.getvalue()


def _as_owner(command: list[str], course_dir: Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run `command` in the course directory with no more power than who owns it."""
    owner = course_dir.stat()
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        identity = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    return subprocess.run(
        command,
        input=given,
        cwd=course_dir,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": "."},
        capture_output=True,
        check=False,
        **identity,
    )


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mode = 0o755 if entry.isdir() else 0o644
    return entry


def _regular_files(folder: Path) -> Iterable[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target, follow_symlinks=False)
