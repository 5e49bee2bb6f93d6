"""The functions that a course has nbgrader call before and after it grades a submission."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from glob import escape, glob
from typing import Any

from nbgrader.converters import Autograde
from traitlets.config import Config

from course.errors import CourseError
from graders.engine.config import AssignmentLayout
from graders.engine.results import Remark

Hook = Callable[[str], tuple[Remark, ...]]
"""Called with a student whose submission is graded; returns what there is to be said about it."""


def no_hook(_student: str) -> tuple[Remark, ...]:
    """Do nothing."""
    return ()


def read_hooks(layout: AssignmentLayout, config: Config) -> tuple[Hook, Hook]:
    """Return what is to be called before a submission is read, and when its result is in its place.

    Raises:
        CourseError: The configuration names a function that is not there.
    """
    try:
        converter = Autograde(config=config, coursedir=layout.coursedir)
        before, after = converter.pre_convert_hook, converter.post_convert_hook
    # Importing one runs the trainer's own program.
    except Exception as error:
        raise CourseError(
            f"A hook of nbgrader_config.py cannot be called: {type(error).__name__}: {error}",
            "Correct Autograde.pre_convert_hook or Autograde.post_convert_hook.",
        ) from error
    return _hook("pre_convert_hook", before, layout), _hook("post_convert_hook", after, layout)


def _hook(name: str, function: Any, layout: AssignmentLayout) -> Hook:
    return no_hook if function is None else partial(_call, name, function, layout)


def _call(name: str, function: Any, layout: AssignmentLayout, student: str) -> tuple[Remark, ...]:
    """Call a function with what nbgrader gives it: the pattern of students, and the notebooks of one."""
    folder = layout.root / layout.submitted(student)
    pattern = f"{escape(str(folder))}/{layout.coursedir.notebook_id}.ipynb"
    place = {"assignment": layout.assignment, "student": layout.coursedir.student_id}
    try:
        function(notebooks=sorted(glob(pattern)), **place)
    # nbgrader goes on as well.
    except Exception as error:
        return (Remark("step", f"{name} failed: {type(error).__name__}: {error}"),)
    return ()
