"""`spoc cohort`: who is in the course, and how they get in."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from course.accounts import Account, Accounts
from course.database import Database
from course.errors import NotFound
from course.invitations import VALID_FOR, Invitations
from course.members import last_day
from course.roster import Roster, RosterImport, size_advice
from course.state import StateFolder
from hub_config.cli.deployment import existing_database
from hub_config.cli.options import json_option, state_option
from hub_config.departures import Outcome, see_out
from hub_config.settings import read_settings

# A terminal wraps a long line and keeps it whole for copying; rich would cut it.
WIDER_THAN_ANY_ROW = 2000
LONGEST_DAYS = 90


@click.group()
def cohort() -> None:
    """Import a roster, invite, revoke, list and remove members."""


@cohort.command("import")
@click.argument("roster", metavar="ROSTER.csv", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--remove-missing", is_flag=True, help="Also remove every member who is not in the file.")
@click.option("--yes", is_flag=True, help="Do not ask before removing.")
@click.option("--same-people", is_flag=True, help="Changed names and addresses are of the same people.")
@state_option
@json_option
def import_(
    roster: Path, remove_missing: bool, yes: bool, same_people: bool, state: StateFolder, as_json: bool
) -> None:
    """Add and update members from ROSTER.csv: username,name,email,role,until.

    All of the file or nothing. Roles are learner (the default), trainer, sponsor and admin. Members who are
    not in the file stay, unless --remove-missing is given. Another role ends what its member has open. UNTIL
    is the last day of a guest, in the cohort's time zone.
    """
    if remove_missing and not yes:
        click.confirm("Remove every member who is not in the file?", abort=True)
    state.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(Database(state.database_url)) as database:
        change = Roster(database).import_csv(
            roster, remove_missing=remove_missing, same_people=same_people, zone=_zone(state)
        )
        advice = size_advice(Roster(database).members())
    out = (*change.removed, *change.role_changed, *change.ended)
    outcome = see_out(state, tuple(dict.fromkeys(out))) if out else None
    if as_json:
        click.echo(json.dumps({**asdict(change), "advice": advice, "hub": outcome}))
        return
    _print_change(change, outcome)
    if advice:
        click.echo(f"Note: {advice}")


@cohort.command()
@click.argument("names", metavar="[NAME...]", nargs=-1)
@click.option("--all", "everybody", is_flag=True, help="Every member who has no password yet.")
@click.option(
    "--days",
    type=click.IntRange(1, LONGEST_DAYS),
    default=VALID_FOR.days,
    show_default=True,
    help="How long a link is good.",
)
@state_option
@json_option
def invite(names: tuple[str, ...], everybody: bool, days: int, state: StateFolder, as_json: bool) -> None:
    """Print a link for each NAME, good once.

    An earlier link stops working. Somebody who forgot the password is invited again by name.
    """
    if everybody == bool(names):
        raise click.UsageError("Name the members, or give --all.")
    url = read_settings(state).url
    now = datetime.now(UTC)
    valid_for = timedelta(days=days)
    with existing_database(state) as database:
        accounts = {account.member.name: account for account in Accounts(database).all()}
        if everybody:
            names = tuple(name for name, account in accounts.items() if account.password_hash is None)
        # Before the first link is replaced: a mistyped name must not leave half of them invited.
        members = [Roster(database).get(name) for name in names]
        tokens = [Invitations(database).issue(member.name, now, valid_for) for member in members]
    links = [f"{url}/hub/invitation?token={token}" for token in tokens]
    if as_json:
        listed = [
            {"name": member.name, "email": member.email, "link": link}
            for member, link in zip(members, links, strict=True)
        ]
        click.echo(json.dumps({"invitations": listed, "expires_at": (now + valid_for).isoformat()}))
    elif not members:
        click.echo("Everybody has a password already.")
    else:
        rows = [(m.name, m.display_name, m.email, link) for m, link in zip(members, links, strict=True)]
        _print_table(("user name", "name", "e-mail", "link"), rows)
        click.echo(f"Each link works once, until {now + valid_for:%d %B %Y}. Send it to its person alone.")


@cohort.command()
@click.argument("names", metavar="[NAME...]", nargs=-1)
@click.option("--all", "everybody", is_flag=True, help="Every link that is open.")
@state_option
@json_option
def revoke(names: tuple[str, ...], everybody: bool, state: StateFolder, as_json: bool) -> None:
    """Make links that were not used yet void.

    A password that was set by a link stays.
    """
    if everybody == bool(names):
        raise click.UsageError("Name the members, or give --all.")
    now = datetime.now(UTC)
    with existing_database(state) as database:
        listed = _listed(database)
        # Before the first link is void: a mistyped name must not leave half of them.
        chosen = [_known(name, listed) for name in names or listed]
        revoked = [name for name in chosen if Invitations(database).revoke(name, now)]
    without = [name for name in names if name not in revoked]
    if as_json:
        click.echo(json.dumps({"revoked": revoked, "without": without}))
        return
    click.echo(f"Revoked: {', '.join(revoked)}" if revoked else "There was no open link.")
    if revoked and without:
        click.echo(f"Without an open link: {', '.join(without)}")


@cohort.command("list")
@state_option
@json_option
def list_(state: StateFolder, as_json: bool) -> None:
    """Show members: role, joined or not, last seen."""
    now = datetime.now(UTC)
    with existing_database(state) as database:
        accounts = Accounts(database).listed()
    zone = _zone(state)
    if as_json:
        listed = [
            {
                **asdict(account.member),
                "ends_at": account.member.ends_at and account.member.ends_at.isoformat(),
                "until": _until(account, zone) or None,
                "state": _standing(account, now),
                "last_seen_at": account.last_seen_at and account.last_seen_at.isoformat(),
            }
            for account in accounts
        ]
        click.echo(json.dumps({"members": listed}))
        return
    rows = [
        (
            a.member.name,
            a.member.display_name,
            a.member.email,
            a.member.role,
            _until(a, zone),
            _standing(a, now),
            _last_seen(a),
        )
        for a in accounts
    ]
    _print_table(("user name", "name", "e-mail", "role", "until", "state", "last seen"), rows)


@cohort.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@state_option
@json_option
def remove(names: tuple[str, ...], yes: bool, state: StateFolder, as_json: bool) -> None:
    """End memberships at once; files and marks are kept."""
    names = tuple(dict.fromkeys(names))
    with existing_database(state) as database:
        listed = _listed(database)
        members = [listed[_known(name, listed)].member for name in names]
        if not yes:
            shown = ", ".join(f"{member.name} ({member.display_name})" for member in members)
            click.confirm(f"Remove {shown}?", abort=True)
        for name in names:
            Roster(database).remove(name)
    outcome = see_out(state, names)
    if as_json:
        click.echo(json.dumps({"removed": names, "hub": outcome}))
    else:
        _print_change(RosterImport(removed=names), outcome)


def _zone(state: StateFolder) -> tzinfo:
    return ZoneInfo(read_settings(state).time_zone)


def _listed(database: Database) -> dict[str, Account]:
    return {account.member.name: account for account in Accounts(database).listed()}


def _known(name: str, listed: Mapping[str, Account]) -> str:
    if name not in listed:
        raise NotFound(f"{name!r} is not a member of this cohort.", "See who is with: spoc cohort list")
    return name


def _until(account: Account, zone: tzinfo) -> str:
    ends_at = account.member.ends_at
    return last_day(ends_at, zone).isoformat() if ends_at else ""


def _standing(account: Account, now: datetime) -> str:
    if account.member.is_over(now):
        return "ended"
    if account.invited_until is not None and account.invited_until > now:
        return "joined, invited again" if account.password_hash else "invited"
    if account.password_hash is not None:
        return "joined"
    return "invitation expired" if account.invited_until else "not invited"


def _last_seen(account: Account) -> str:
    return f"{account.last_seen_at:%Y-%m-%d %H:%M} UTC" if account.last_seen_at else "never"


def _print_change(change: RosterImport, outcome: Outcome | None) -> None:
    for word in ("added", "updated", "restored", "unchanged", "removed"):
        names = getattr(change, word)
        if names:
            click.echo(f"{word.capitalize()}: {', '.join(names)}")
    if change.role_changed:
        click.echo(f"In another role now: {', '.join(change.role_changed)}")
    if change.ended:
        click.echo(f"Past their last day, so not let in: {', '.join(change.ended)}")
    if change.uninvited:
        click.echo(f"Their links are void, invite them again: {', '.join(change.uninvited)}")
    if change.missing:
        click.echo(f"Not in the file, kept: {', '.join(change.missing)}")
        click.echo("Remove somebody with: spoc cohort remove NAME")
    if change.added or change.restored:
        click.echo("Invite them with: spoc cohort invite --all")
    if outcome == "out":
        click.echo("The hub has stopped their servers and ended their sessions.")
    elif outcome == "not running":
        click.echo("No hub is running here. The next one honours no session of before.")


def _print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(*titles, box=box.SIMPLE)
    for row in rows:
        # As text: what a person wrote is not rich's markup.
        table.add_row(*map(Text, row))
    Console(file=sys.stdout, width=WIDER_THAN_ANY_ROW).print(table)
