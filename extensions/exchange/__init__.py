"""nbgrader's exchange over the course service: its own pages and commands work without a shared folder.

`configure` is what a member's `nbgrader_config.py` calls. The hub token says who asks, never an option.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from traitlets.config import Config

_PLUGINS = {
    "exchange": "extensions.exchange.connection.CourseExchange",
    "list": "extensions.exchange.listing.ListAssignments",
    "fetch_assignment": "extensions.exchange.fetching.FetchAssignment",
    "fetch_feedback": "extensions.exchange.fetching.FetchFeedback",
    "submit": "extensions.exchange.submitting.Submit",
    "collect": "extensions.exchange.trainer.Collect",
    "release_assignment": "extensions.exchange.trainer.ReleaseAssignment",
    "release_feedback": "extensions.exchange.trainer.ReleaseFeedback",
}


def configure(c: Config, environment: Mapping[str, str] = os.environ) -> None:
    """Make nbgrader, configured by `c`, talk to the course service that `environment` names."""
    for name, plugin in _PLUGINS.items():
        setattr(c.ExchangeFactory, name, plugin)
    c.CourseDirectory.course_id = environment.get("SPOC_COURSE", "")
    c.Exchange.timezone = environment.get("SPOC_TIME_ZONE", "UTC")
    c.NbGraderAPI.timezone = c.Exchange.timezone
    c.ExchangeFetchAssignment.replace_missing_files = True
