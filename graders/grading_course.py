"""The course directory of a deployment, as the grading worker sees it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from course.errors import CourseError
from graders.engine.config import AssignmentLayout
from graders.preprocessors import configure

_PERMISSIONS = 644
"""Octal, as nbgrader writes it: the trainers' own."""


@dataclass(frozen=True, slots=True)
class GradingCourse:
    """An nbgrader course directory."""

    folder: Path
    id: str

    @property
    def gradebook(self) -> Path:
        return self.folder / "gradebook.db"

    @property
    def gradebook_url(self) -> str:
        """The gradebook's address.

        Raises:
            CourseError: It is a link: it would lead a worker to a file that trainers may not reach.
        """
        if self.gradebook.is_symlink():
            raise CourseError(f"{self.gradebook} is a link.", "Put the gradebook itself there.")
        return f"sqlite:///{self.gradebook}"

    def config(self) -> Config:
        """Return the whole configuration: no file of the course directory or a home has a say."""
        config = Config()
        configure(config)
        config.CourseDirectory.root = str(self.folder)
        config.CourseDirectory.course_id = self.id
        config.CourseDirectory.db_url = self.gradebook_url
        config.BaseConverter.permissions = _PERMISSIONS
        return config

    def layout(self, assignment: str) -> AssignmentLayout:
        """Return where an assignment's submissions and results are."""
        return AssignmentLayout(CourseDirectory(config=self.config()), assignment)

    def keep_owner(self) -> None:
        """Give a gradebook that root made to who owns the course directory."""
        if os.geteuid() == 0:
            owner = self.folder.stat()
            os.chown(self.gradebook, owner.st_uid, owner.st_gid, follow_symlinks=False)
