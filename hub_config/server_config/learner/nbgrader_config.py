"""nbgrader in a learner's server: its Assignment List works over the course service."""

from traitlets.config import get_config

from extensions.exchange import configure

c = get_config()
configure(c)
