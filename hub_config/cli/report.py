"""`spoc report`: reports for the trainer, as HTML."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from course.state import StateFolder
from graders.reports.build import write_cohort_report
from graders.reports.cohort import QUIET_DAYS, Cohort
from hub_config.cli.options import json_option, state_option
from hub_config.reports import cohort_report_path, cohort_request
from hub_config.settings import read_settings


@click.group()
def report() -> None:
    """Write reports as HTML."""


@report.command()
@state_option
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; by default reports/cohort.html in the state folder.",
)
@click.option(
    "--quiet-days",
    type=click.FloatRange(min=0, min_open=True),
    default=QUIET_DAYS,
    show_default=True,
    help="Who did nothing for longer has gone quiet.",
)
@json_option
def cohort(state: StateFolder, output: Path | None, quiet_days: float, as_json: bool) -> None:
    """Write who is where, who needs you, and what was hard.

    Exits with 1 when the state folder holds no course, or a file of the course cannot be used.
    """
    target = output or cohort_report_path(state)
    now = datetime.now(UTC)
    found = write_cohort_report(cohort_request(state, read_settings(state), now, quiet_days), target)
    click.echo(json.dumps(_summary(found, target)) if as_json else target)


def _summary(found: Cohort, path: Path) -> dict[str, Any]:
    return {
        "report": str(path),
        "generated_at": found.request.generated_at.isoformat(),
        "learners": len(found.standings),
        "needing": [
            {
                "learner": standing.member.name,
                "reasons": [
                    {"cause": reason.cause, "since": reason.since and reason.since.isoformat()}
                    for reason in standing.reasons
                ],
            }
            for standing in found.needing
        ],
        "to_mark": sum(work.answers for work in found.marking),
    }
