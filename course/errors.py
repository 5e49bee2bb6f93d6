"""Everything this project can refuse to do, and what the reader should do next.

CourseError                 its text is fit to show a person as is
├── FileProblems            a file an author or trainer wrote cannot be used; lists every problem
├── NotFound                no such member, module, question, assignment or submission
├── NotAllowed              this person may not do this
├── Conflict                it was done already, or the time for it is over
├── TooLarge                more bytes or files than the limit
├── DiskFull                the course's disk has no space left, so nothing was stored
└── SandboxUnavailable      this machine cannot isolate learner code, so nothing runs
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class CourseError(Exception):
    """A mistake in the course or its use.

    Args:
        problem: What is wrong and where, as a sentence.
        next_step: What the reader can do about it, as a sentence; may be empty.
    """

    def __init__(self, problem: str, next_step: str = "") -> None:
        self.problem = problem
        self.next_step = next_step
        super().__init__(f"{problem}\n{next_step}" if next_step else problem)


class FileProblems(CourseError):
    """A file cannot be used; `problems` names every one, each as "where: what"."""

    def __init__(self, path: Path, problems: Sequence[str], next_step: str = "") -> None:
        self.path = path
        self.problems = tuple(problems)
        listed = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{path} cannot be used:\n{listed}", next_step)


class NotFound(CourseError):
    """There is no such thing, or this person may not know of it."""


class NotAllowed(CourseError):
    """This person may not do this."""


class Conflict(CourseError):
    """It was done already, or the time for it is over."""


class TooLarge(CourseError):
    """More bytes or files than the limit."""


class DiskFull(CourseError):
    """The course's disk has no space left, so nothing was stored."""


class SandboxUnavailable(CourseError):
    """This machine cannot isolate learner code, so none is run."""
