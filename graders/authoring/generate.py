"""Runs nbgrader's `generate_assignment` in a process of its own, since nbgrader changes the working folder.

`python -m graders.authoring.generate COURSE_DIR RELEASE_DIR ASSIGNMENT...` reads the course directory's own
configuration, saves the cells in its gradebook and writes `RELEASE_DIR/<assignment>/`.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import PyFileConfigLoader

from course.errors import CourseError
from graders.authoring.build import CONFIG_FILE


def generate(course_dir: Path, release_dir: Path, assignments: Sequence[str]) -> None:
    """Generate `assignments` into `release_dir` in a child process.

    Raises:
        CourseError: nbgrader refused one; its reason is in the text.
    """
    command = [sys.executable, "-m", __name__, str(course_dir), str(release_dir), *assignments]
    # nbgrader stamps a new gradebook by calling `alembic`, which stands beside our Python and on no path.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    done = subprocess.run(
        command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CourseError(
            f"nbgrader could not make the release: {_reason(done.stderr)}",
            "`spoc module lint` finds most causes; a change of cells is refused once somebody has submitted.",
        )


def main(course_dir: Path, release_dir: Path, assignments: Sequence[str]) -> None:
    """Generate `assignments` here and now; changes the working folder meanwhile."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    config = PyFileConfigLoader(CONFIG_FILE, path=str(course_dir)).load_config()
    config.CourseDirectory.release_directory = str(release_dir)
    for assignment in assignments:
        folder = CourseDirectory(config=config, assignment_id=assignment)
        GenerateAssignment(coursedir=folder, config=config, force=True).start()


def _reason(log: str) -> str:
    """The first error that nbgrader logged; what follows it only says that there was one."""
    lines = log.strip().splitlines() or ["it did not say why"]
    return next((line for line in lines if re.match(r"[\w.]*(Error|Exception): ", line)), lines[-1])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3:])
