"""When a module is due for a cohort."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from course.manifest import ModuleManifest

DUE_TIME = time(23, 59)


def due_at(manifest: ModuleManifest, cohort_start: date | None, time_zone: str) -> datetime | None:
    """Return when the module is due, in UTC: `due_days` after `cohort_start`, 23:59 in the time zone.

    None when the module is never due or the cohort has no first day. `time_zone` is an IANA name.
    """
    if manifest.due_days is None or cohort_start is None:
        return None
    day = cohort_start + timedelta(days=manifest.due_days)
    return datetime.combine(day, DUE_TIME, ZoneInfo(time_zone)).astimezone(UTC)
