"""A pytest plug-in: the tests of `nbgrader autograde`, with the engine in the place of its converter.

pytest -c /dev/null -p tests.equality.nbgrader_suite --pyargs nbgrader.tests.apps.test_nbgrader_autograde
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from nbgrader.apps import api, autogradeapp
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException

from course.errors import CourseError
from graders.engine import course
from graders.engine.course import Choices, grade_course


class EngineAutograde(Autograde):
    """Takes nbgrader's configuration, command line included, and lets the engine do the rest."""

    def start(self) -> None:
        self.init_notebooks()
        with (
            patch.object(course, "read_config", lambda _folder: self.config),
            patch.object(course, "course_directory", lambda _folder, _config: self.coursedir),
        ):
            try:
                report = grade_course(
                    Path(self.coursedir.root), self.coursedir.assignment_id, Choices(force=self.force)
                )
            except CourseError as error:
                self.log.error("%s", error)
                raise NbGraderException(str(error)) from error
        for line in report.lines:
            self.log.info("%s: %s", line.student, line)
        if report.exit_code:
            raise NbGraderException("Something was not graded.")


@pytest.fixture(autouse=True)
def with_the_engine() -> Iterator[None]:
    with (
        patch.object(autogradeapp, "Autograde", EngineAutograde),
        patch.object(api, "Autograde", EngineAutograde),
    ):
        yield
