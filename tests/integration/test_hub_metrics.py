"""One token reads the numbers of hub and course service; a member's does not."""

from __future__ import annotations

import httpx
import pytest

from hub_config.runtime import runtime_folder
from hub_config.secrets import METRICS_SERVICE, secret
from tests.course_hub import CourseHub

pytestmark = pytest.mark.hub

PATHS = {"/hub/metrics": "jupyterhub_running_servers", "/services/course/metrics": "spoc_submissions"}


@pytest.mark.parametrize("path", PATHS)
def test_the_operators_token_reads_the_numbers_through_the_proxy(running_hub: CourseHub, path: str) -> None:
    headers = {"Authorization": f"Bearer {secret(running_hub.state, METRICS_SERVICE)}"}
    assert PATHS[path] in httpx.get(running_hub.url + path, headers=headers).raise_for_status().text


@pytest.mark.parametrize("path", PATHS)
def test_neither_members_nor_strangers_read_the_numbers(running_hub: CourseHub, path: str) -> None:
    members = [running_hub.member(name).client.get(path) for name in ("ada", "tia")]
    for reply in (*members, httpx.get(running_hub.url + path)):
        assert reply.status_code == 403
        assert PATHS[path] not in reply.text


def test_to_come_from_this_machine_is_not_enough(running_hub: CourseHub) -> None:
    """A member's server comes by this socket."""
    transport = httpx.HTTPTransport(uds=str(runtime_folder(running_hub.state).course_socket))
    with httpx.Client(transport=transport, base_url="http://course/services/course/") as client:
        assert client.get("health").json() == {"status": "ok"}
        assert client.get("metrics").status_code == 403


def test_the_token_of_the_numbers_opens_nothing_else(running_hub: CourseHub) -> None:
    headers = {"Authorization": f"token {secret(running_hub.state, METRICS_SERVICE)}"}
    for path in ("/hub/api/users", "/services/course/api/quizzes/tables-and-cleaning"):
        assert httpx.get(running_hub.url + path, headers=headers).status_code == 403
