"""`spoc doctor`: what is wrong with this machine or deployment, and what to do."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from course.state import StateFolder
from hub_config.cli.options import json_option, state_option

SIGNS = {"ok": "ok      ", "warning": "warning ", "problem": "PROBLEM "}


@click.command()
@json_option
@state_option
@click.pass_context
def doctor(context: click.Context, as_json: bool, state: StateFolder) -> None:
    """Check this machine and deployment, and say what to do; changes nothing.

    Exits with 1 when something keeps a course from being run.
    """
    from hub_config.checkup import examine

    findings = examine(state)
    is_well = all(finding.status != "problem" for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": is_well, "findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            click.echo(f"{SIGNS[finding.status]} {finding.subject}: {finding.said}")
            if finding.cure:
                click.echo(f"         do: {finding.cure}")
    context.exit(0 if is_well else 1)
