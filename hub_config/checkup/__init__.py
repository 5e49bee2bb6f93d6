"""What `spoc doctor` looks at: the machine, and the deployment on it. It changes nothing."""

from __future__ import annotations

from course.state import StateFolder
from hub_config.checkup.deployment import check_deployment
from hub_config.checkup.finding import Finding
from hub_config.checkup.machine import check_machine

__all__ = ["Finding", "examine"]


def examine(state: StateFolder) -> tuple[Finding, ...]:
    """Return what was found, in the order in which a person would put things right."""
    return (*check_machine(state), *check_deployment(state))
