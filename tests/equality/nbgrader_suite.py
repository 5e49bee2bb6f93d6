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

DELIBERATE = {
    "test_no_execute": "points come from tests that are run, never from outputs that a learner saved;"
    " the report says that Execute.enabled = False is not followed",
    "test_grade_empty_timestamp": "a time of submission that cannot be read is told, and the submission"
    " graded; stock fails it",
    "test_side_effects": "what learner code wrote is gone with its sandbox, and not left in autograded/",
    "test_handle_failure": "graded cells of another assignment become ordinary cells, and the notebook is"
    " graded; stock empties their metadata, then fails on what it has emptied",
    "test_handle_failure_single_notebook": "the same with --notebook",
    "test_missing_source_kernelspec": "where the source names no kernel, the engine's own Python runs a"
    " notebook; stock asks for the kernel that the learner's copy names, and fails where there is none",
}
"""What the engine does otherwise, each for a reason: these tests have to fail. nbgrader itself skips two that
take too long (test_many_students, test_infinite_loop_with_output) and one that is for Windows."""


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if reason := DELIBERATE.get(item.name):
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.fixture(autouse=True)
def with_the_engine() -> Iterator[None]:
    with (
        patch.object(autogradeapp, "Autograde", EngineAutograde),
        patch.object(api, "Autograde", EngineAutograde),
    ):
        yield
