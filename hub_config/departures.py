"""Takes removed members out of a running hub: server stopped, sessions and tokens gone."""

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
    """Stop the servers of former members and make the hub forget these users.

    The roster already lets nobody of them in again; this ends what they have open at this moment.

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
                "The removal stands, but servers may still run: restart the hub.",
            ) from error
    return "out"


def _see_one_out(client: httpx.Client, name: str) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    # 202: it is stopping; 404: the hub never met this person.
    while (stopped := client.delete(f"users/{name}/server")).status_code == 202:
        if time.monotonic() > deadline:
            raise Conflict(
                f"The server of {name} does not stop.",
                "Nobody gets into it again; restart the hub to end it.",
            )
        time.sleep(POLL_SECONDS)
    if stopped.status_code != 404:
        stopped.raise_for_status()
        client.delete(f"users/{name}").raise_for_status()
