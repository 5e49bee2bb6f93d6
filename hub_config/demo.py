"""The sample course with a small cohort, ready to try: made at the first start, found again at the next."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from course.accounts import Accounts
from course.database import Database
from course.errors import Conflict
from course.invitations import Invitations
from course.manifest import read_course
from course.releases import ReleaseStore
from course.roster import Member, Roster
from course.state import StateFolder
from graders.authoring.build import build_course
from graders.authoring.publication import Calendar
from graders.authoring.release import release_modules
from hub_config.runtime import is_free
from hub_config.settings import Settings, read_settings, settings_path, write_settings

ROSTER = Path(__file__).parent / "demo_roster.csv"
PORTS_TRIED = 50


@dataclass(frozen=True, slots=True)
class Entrance:
    """How one person gets in: by a link, or by the password that the person has set."""

    member: Member
    link: str | None


def prepare_demo(state: StateFolder, port: int) -> Settings:
    """Make what the demo lacks in `state`: settings, cohort, built and released modules.

    Args:
        state: An empty folder at the first start.
        port: The port to use, or to begin with in the search for a free one.

    Returns:
        Settings with a port that is free at this moment.

    Raises:
        Conflict: No port is free.
        FileProblems: The settings or the course cannot be used.
    """
    state.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not settings_path(state).exists():
        # Counted from today, so that nothing is overdue at the first look.
        today = datetime.now(ZoneInfo(Settings().time_zone)).date()
        write_settings(state, Settings(cohort_start=today))
    settings = read_settings(state).model_copy(update={"port": first_free_port(port)})
    with closing(Database(state.database_url)) as database:
        if not Roster(database).members():
            Roster(database).import_csv(ROSTER)
        _release_what_is_missing(state, settings, ReleaseStore(database))
    return settings


def first_free_port(port: int) -> int:
    """Return `port` or the next one above that nobody listens on.

    Raises:
        Conflict: None of the next ones is free.
    """
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        if is_free(candidate):
            return candidate
    raise Conflict(f"No port from {port} on is free.", "Choose another one with --port.")


def entrances(state: StateFolder, url: str) -> tuple[Entrance, ...]:
    """Return how each member gets in; a new link, good once, for whoever has no password yet."""
    now = datetime.now(UTC)
    with closing(Database(state.database_url)) as database:
        invitations = Invitations(database)
        return tuple(
            Entrance(
                account.member,
                None
                if account.password_hash
                else f"{url}/hub/invitation?token={invitations.issue(account.member.name, now)}",
            )
            for account in Accounts(database).all()
        )


def _release_what_is_missing(state: StateFolder, settings: Settings, releases: ReleaseStore) -> None:
    released = {release.assignment for release in releases.released()}
    missing = [slug for slug in read_course(settings.modules_dir).modules if slug not in released]
    if missing:
        build_course(settings.modules_dir, state.course_dir, missing)
        calendar = Calendar(settings.cohort_start, settings.time_zone)
        release_modules(settings.modules_dir, state, missing, releases, calendar, now=datetime.now(UTC))
