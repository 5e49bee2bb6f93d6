"""`python -m hub_config.cli`: the `spoc` command where no script is on the path."""

from hub_config.cli import spoc

spoc()
