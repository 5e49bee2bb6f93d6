"""Runs nbgrader's `generate_assignment` in a process of its own, since nbgrader changes the working folder.

`python -m graders.authoring.generate COURSE_DIR COURSE_ID RELEASE_DIR ASSIGNMENT=DUE...` saves the cells and
the due dates (ISO 8601, or empty) in the course directory's gradebook and writes `RELEASE_DIR/<assignment>/`.
It reads no `nbgrader_config.py`, since trainers can write that file and this process may be root's.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from course.errors import CourseError


def generate(course_dir: Path, course_id: str, release_dir: Path, due: Mapping[str, datetime | None]) -> None:
    """Generate the assignments of `due`, each with its due date, into `release_dir` in a child process.

    Raises:
        CourseError: nbgrader refused one; its reason is in the text.
    """
    assignments = [f"{name}={moment.isoformat() if moment else ''}" for name, moment in due.items()]
    command = [sys.executable, "-m", __name__, str(course_dir), course_id, str(release_dir), *assignments]
    # nbgrader stamps a new gradebook by calling `alembic`, which stands beside our Python and on no path.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    done = subprocess.run(
        command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CourseError(
            f"nbgrader could not make the release: {_reason(done.stderr)}",
            "`spoc module lint` finds most causes; a change of cells is refused once somebody has submitted:"
            " `spoc grade regrade` takes it over, then release again.",
        )


def main(course_dir: Path, course_id: str, release_dir: Path, due: Mapping[str, str]) -> None:
    """Generate the assignments of `due` here and now; changes the working folder meanwhile."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    config = Config()
    config.CourseDirectory = Config(
        root=str(course_dir), course_id=course_id, release_directory=str(release_dir)
    )
    for assignment in due:
        folder = CourseDirectory(config=config, assignment_id=assignment)
        GenerateAssignment(coursedir=folder, config=config, force=True).start()
    with Gradebook(f"sqlite:///{course_dir / 'gradebook.db'}", course_id) as gradebook:
        for assignment, moment in due.items():
            gradebook.update_or_create_assignment(assignment, duedate=moment or None)


def _reason(log: str) -> str:
    """The first error that nbgrader logged; what follows it only says that there was one."""
    lines = log.strip().splitlines() or ["it did not say why"]
    return next((line for line in lines if re.match(r"[\w.]*(Error|Exception): ", line)), lines[-1])


if __name__ == "__main__":
    main(
        Path(sys.argv[1]).resolve(),
        sys.argv[2],
        Path(sys.argv[3]).resolve(),
        dict(each.split("=", 1) for each in sys.argv[4:]),
    )
