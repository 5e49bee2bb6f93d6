"""Reads submissions, and what was graded before, out of a course directory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path

from nbgrader.utils import parse_utc

from course.errors import CourseError
from graders.engine.archive import packed, unpacked
from graders.engine.config import AssignmentLayout
from graders.engine.hooks import Hook, no_hook
from graders.engine.owner import as_owner
from graders.engine.plan import AssignmentPlan
from graders.engine.results import Remark, SubmissionContent
from graders.repair.files import FileLimits, FileProblem, read_folder

TIMESTAMP = "timestamp.txt"
_GRADED_LIMITS = FileLimits(max_notebook_bytes=64 * 1024 * 1024)
"""With outputs and all a graded notebook is larger than what was submitted."""


@dataclass(frozen=True, slots=True)
class CourseContent:
    """The submissions of one assignment in a course directory."""

    layout: AssignmentLayout
    plan: AssignmentPlan
    before: Hook = no_hook
    """Called before a submission is read."""

    def is_due(self, student: str) -> bool:
        """Return whether a submission is not graded yet, or is newer than what is: nbgrader's own rule.

        Where notebooks are asked for by name, it is also due when one of them is not graded yet.
        """
        graded = self.layout.autograded(student)
        if not (self.layout.root / graded).is_dir():
            return True
        before, _ = self._folder(graded, _GRADED_LIMITS)
        now, _ = self._folder(self.layout.submitted(student))
        submitted = {f"{name}.ipynb" for name in self.plan.notebooks} & now.keys()
        if self.plan.is_selection and not submitted <= before.keys():
            return True
        graded_at, submitted_at = read_timestamp(before)[0], read_timestamp(now)[0]
        return graded_at is not None and submitted_at is not None and submitted_at > graded_at

    def read(self, student: str) -> SubmissionContent:
        """Return a submission.

        Raises:
            CourseError: It cannot be read.
        """
        remarks = list(self.before(student))
        files, problems = self._folder(self.layout.submitted(student))
        remarks += [Remark("files", problem.text) for problem in problems]
        timestamp, problem = read_timestamp(files)
        if problem:
            remarks.append(Remark("timestamp", problem))
        return SubmissionContent(
            student=student,
            files=files,
            timestamp=timestamp,
            graded_before=self.graded_before(student),
            left_out=problems,
            remarks=tuple(remarks),
        )

    def graded_before(self, student: str) -> dict[str, bytes]:
        """Return by name the notebooks as they were graded last, where settled marks depend on them."""
        return self.graded(student) if self.plan.steps.own_rules else {}

    def graded(self, student: str) -> dict[str, bytes]:
        """Return by name the notebooks as they were graded last; empty if they never were."""
        return self._graded(student, self.plan.notebooks)

    def graded_others(self, student: str) -> dict[str, bytes]:
        """Return by name what was graded last of the notebooks that are not graded now."""
        return self._graded(student, self.plan.others) if self.plan.others else {}

    def _graded(self, student: str, names: Iterable[str]) -> dict[str, bytes]:
        folder = self.layout.autograded(student)
        if not (self.layout.root / folder).is_dir():
            return {}
        files, _ = self._folder(folder, _GRADED_LIMITS)
        return {name: files[f"{name}.ipynb"] for name in names if f"{name}.ipynb" in files}

    def _folder(
        self, folder: Path, limits: FileLimits | None = None
    ) -> tuple[dict[str, bytes], tuple[FileProblem, ...]]:
        def act(root: Path) -> bytes:
            read = read_folder(root / folder, limits or FileLimits(), self.plan.ignore)
            return packed(read.files, [astuple(problem) for problem in read.problems])

        try:
            files, problems = unpacked(as_owner(self.layout.root, act))
        except OSError as error:
            raise CourseError(f"{folder} cannot be read: {error}") from error
        return files, tuple(FileProblem(*problem) for problem in problems)


def read_timestamp(files: Mapping[str, bytes]) -> tuple[datetime | None, str]:
    """Return the time of submission (naive UTC) that files hold, and what is wrong with it."""
    text = files.get(TIMESTAMP, b"").decode("utf-8", errors="replace").strip()
    if not text:
        return None, ""
    try:
        return parse_utc(text), ""
    # A time zone that does not exist, a number out of range.
    except (ValueError, OverflowError, TypeError):
        return None, f"{TIMESTAMP} holds no time: {text[:80]!r}. The gradebook's time of submission stays."
