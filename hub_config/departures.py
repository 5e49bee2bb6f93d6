"""Takes removed members, and those in another role now, out of a running hub: no server, session or token."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

import httpx

from course.errors import Conflict
from course.state import StateFolder
from hub_config.runtime import runtime_folder
from hub_config.secrets import hub_client

STOP_SECONDS = 60
POLL_SECONDS = 0.2

Outcome = Literal["out", "not running"]


def see_out(state: StateFolder, names: Sequence[str]) -> Outcome:
    """Stop the servers of members who left, or left a role, and make the hub forget these users.

    The roster already voids what they have open, and lets nobody in who left; this ends it at this moment.

    Returns:
        "not running" when there is no hub, so nothing is open.

    Raises:
        Conflict: The hub did not do it.
    """
    if not runtime_folder(state).hub_socket.exists():
        return "not running"
    with hub_client(state) as client:
        try:
            for name in names:
                _see_one_out(client, name)
        except httpx.ConnectError:
            # A hub that was killed leaves its socket behind.
            return "not running"
        except httpx.HTTPError as error:
            raise Conflict(
                f"The hub did not answer as it should: {error}",
                "The change stands, but servers may still run: restart the hub.",
            ) from error
    return "out"


def _see_one_out(client: httpx.Client, name: str) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    # 202: it is stopping; 404: the hub never met this person.
    while (stopped := client.delete(f"users/{name}/server")).status_code == 202:
        if time.monotonic() > deadline:
            raise Conflict(
                f"The server of {name} does not stop.",
                "No earlier session gets into it; restart the hub to end it.",
            )
        time.sleep(POLL_SECONDS)
    if stopped.status_code != 404:
        stopped.raise_for_status()
        client.delete(f"users/{name}").raise_for_status()
