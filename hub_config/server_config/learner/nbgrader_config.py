"""nbgrader in a learner's server: assignments come from and go to the course service."""

from extensions.exchange import configure

configure(get_config())  # type: ignore[name-defined]  # noqa: F821
