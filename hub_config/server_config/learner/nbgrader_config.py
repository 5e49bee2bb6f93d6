"""nbgrader in a learner's server: assignments come from and go to the course service."""

from traitlets.config import get_config

from extensions.exchange import configure

configure(get_config())
