"""nbgrader in a trainer's server: the course directory in the home, the course service as its exchange."""

from pathlib import Path

from extensions.exchange import configure

c = get_config()  # type: ignore[name-defined]  # noqa: F821
configure(c)
c.CourseDirectory.root = str(Path.home() / "course")
