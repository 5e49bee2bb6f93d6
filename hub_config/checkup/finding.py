"""One thing that was looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from course.errors import CourseError

Status = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found.

    Attributes:
        subject: A word for what was looked at.
        status: `problem` is what keeps a course from being run; `warning` what may become one.
        said: What was found, as a sentence.
        cure: What to do, as a sentence; empty when all is well.
    """

    subject: str
    status: Status
    said: str
    cure: str = ""


def found(subject: str, look: Callable[[], str]) -> Finding:
    """Return what `look` says, or the `CourseError` that it raises as a problem."""
    try:
        return Finding(subject, "ok", look())
    except CourseError as error:
        return Finding(subject, "problem", error.problem, error.next_step)
