"""A course directory and its configuration, as nbgrader reads them; the working folder stays as it is."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from glob import escape, glob
from pathlib import Path

from jupyter_core.paths import jupyter_config_dir, jupyter_config_path
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import URL, make_url
from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, JSONFileConfigLoader, PyFileConfigLoader

from course.errors import CourseError, NotFound

_NAMES = ("jupyter_config", "nbgrader_config")
_OLD_SECTION = "NbGrader"
_OLD_NAMES = {"course_directory": "root"}
"""Of traits that nbgrader still takes in the section where they stood before its version 0.5."""


def read_config(course_dir: Path) -> Config:
    """Return what `nbgrader` goes by when it is started in `course_dir`.

    The files are the trainer's own programs: they run here, with `course_dir` on the module path as nbgrader
    puts it there, unless this is root and the folder is another user's.

    Raises:
        CourseError: A file cannot be read: nbgrader would go on without it, and forget a late policy. Or it
            is another user's, and would run with root's power.
    """
    _refuse_foreign(course_dir)
    if str(course_dir) not in sys.path and not _is_foreign(course_dir):
        sys.path.insert(0, str(course_dir))
    config = Config()
    for folder in (*reversed(jupyter_config_path()), jupyter_config_dir(), str(course_dir)):
        for name in _NAMES:
            config.merge(_read(folder, name))
    for trait in CourseDirectory.class_trait_names(config=True):
        _take_over(config, trait, trait)
    for old, new in _OLD_NAMES.items():
        _take_over(config, old, new)
    return config


def course_directory(course_dir: Path, config: Config) -> CourseDirectory:
    """Return nbgrader's own view of a course directory; its configuration may move the root elsewhere.

    What is relative in the configuration is so to `course_dir`: nbgrader is started there.
    """
    if not course_dir.is_dir():
        raise NotFound(f"There is no folder {course_dir}.")
    config.CourseDirectory.root = os.path.abspath(course_dir / config.CourseDirectory.get("root", ""))
    coursedir = CourseDirectory(config=config)
    coursedir.db_url = _absolute(coursedir.db_url, Path(coursedir.root))
    return coursedir


def existing_gradebook(coursedir: CourseDirectory) -> str:
    """Return the address of the gradebook; a mistyped folder gets none.

    Raises:
        NotFound: There is none yet.
    """
    url = make_url(coursedir.db_url)
    if _is_file(url) and not (Path(str(url.database)).exists() and Path(str(url.database)).stat().st_size):
        raise NotFound(
            f"There is no gradebook {url.database}.",
            "Release an assignment first: nbgrader generate_assignment NAME",
        )
    return coursedir.db_url


@dataclass(frozen=True, slots=True)
class AssignmentLayout:
    """Where an assignment's submissions and results are; paths are relative to `root` where they can be."""

    coursedir: CourseDirectory
    assignment: str

    @property
    def root(self) -> Path:
        return Path(self.coursedir.root)

    def submitted(self, student: str) -> Path:
        return self._path(self.coursedir.submitted_directory, student)

    def autograded(self, student: str) -> Path:
        return self._path(self.coursedir.autograded_directory, student)

    @property
    def excluded(self) -> frozenset[str]:
        """Whom the configuration leaves out."""
        return frozenset(self.coursedir.student_id_exclude.split(","))

    def students(self) -> tuple[str, ...]:
        """Return who has submitted, of those whom the configuration names, who is left out among them."""
        step, structure = self.coursedir.submitted_directory, self.coursedir.directory_structure
        pattern = self.coursedir.format_path(
            step, "(?P<student>[^/]+)", re.escape(self.assignment), escape=True
        )
        wanted = structure.format(
            nbgrader_step=escape(step),
            student_id=self.coursedir.student_id,
            assignment_id=escape(self.assignment),
        )
        found = (re.fullmatch(pattern, str(self.root / place)) for place in glob(wanted, root_dir=self.root))
        return tuple(sorted({each["student"] for each in found if each}))

    def _path(self, step: str, student: str) -> Path:
        return Path(
            self.coursedir.directory_structure.format(
                nbgrader_step=step, student_id=student, assignment_id=self.assignment
            )
        )


def _absolute(db_url: str, root: Path) -> str:
    url = make_url(db_url)
    if not _is_file(url):
        return db_url
    return url.set(database=str(root / str(url.database))).render_as_string(hide_password=False)


def _is_file(url: URL) -> bool:
    name = url.database or ":memory:"
    return url.get_backend_name() == "sqlite" and not name.startswith((":", "file:"))


def _refuse_foreign(course_dir: Path) -> None:
    # One in JSON names functions to be called.
    for path in (course_dir / f"{name}{end}" for name in _NAMES for end in (".py", ".json")):
        if _is_foreign(path):
            raise CourseError(
                f"{path} is another user's: what it says, or names, would run with root's power.",
                f"Run the command as the owner of {course_dir}.",
            )


def _is_foreign(path: Path) -> bool:
    """Return whether this is root, and what is there is another user's."""
    return os.geteuid() == 0 and path.exists() and path.stat().st_uid != 0


def _read(folder: str, name: str) -> Config:
    merged = Config()
    for loader in _loaders(folder, name):
        try:
            merged.merge(loader.load_config())
        except ConfigFileNotFound:
            continue
        # Whatever a program of the trainer's raises.
        except Exception as error:
            raise CourseError(
                f"{loader.full_filename} cannot be read: {type(error).__name__}: {error}",
                "Correct it, then run the command again.",
            ) from error
    return merged


def _loaders(folder: str, name: str) -> Iterator[PyFileConfigLoader | JSONFileConfigLoader]:
    yield PyFileConfigLoader(f"{name}.py", path=folder)
    yield JSONFileConfigLoader(f"{name}.json", path=folder)


def _take_over(config: Config, old: str, new: str) -> None:
    if old in config[_OLD_SECTION]:
        config.CourseDirectory.setdefault(new, config[_OLD_SECTION].pop(old))
