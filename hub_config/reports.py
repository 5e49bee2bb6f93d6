"""Which report a deployment's settings ask for, and where it is kept."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from course.state import StateFolder
from graders.reports.cohort import QUIET_DAYS, CohortRequest
from hub_config.settings import Settings


def cohort_report_path(state: StateFolder) -> Path:
    """Return where the newest cohort report is."""
    return state.reports_dir / "cohort.html"


def cohort_request(
    state: StateFolder, settings: Settings, now: datetime, quiet_days: float = QUIET_DAYS
) -> CohortRequest:
    """Return the request for a report on the cohort of a deployment as it is at `now`."""
    return CohortRequest(
        state_dir=state.root,
        modules_dir=settings.modules_dir,
        generated_at=now,
        cohort_title=settings.cohort_title,
        cohort_start=settings.cohort_start,
        time_zone=settings.time_zone,
        language=settings.language,
        quiet_days=quiet_days,
    )
