"""nbgrader in a trainer's server: the course directory in the home, the course service as its exchange."""

from pathlib import Path

from traitlets.config import get_config

from extensions.exchange import configure

c = get_config()
configure(c)
c.CourseDirectory.root = str(Path.home() / "course")
