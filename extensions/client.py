"""HTTP to the course service, from a member's own server.

What goes wrong comes as `CourseError`: a refusal in the service's own words, or `ServiceUnreachable` where
nobody answered and trying again later makes sense.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Self, TypeVar
from urllib.parse import unquote, urlsplit
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from course.api import KEY_HEADER, Problem
from course.errors import Conflict, CourseError, DiskFull, NotAllowed, NotFound, TooLarge

CONNECT_SECONDS = 3.0
REPLY_SECONDS = 10.0
TRANSFER_SECONDS = 120.0

_ERRORS: dict[int, type[CourseError]] = {
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    507: DiskFull,
}

Reply = TypeVar("Reply", bound=BaseModel)


class ServiceUnreachable(CourseError):
    """The course service did not answer; the same request may be sent again."""


class CourseClient:
    """One member's connection to the course service; safe for many threads."""

    def __init__(self, url: str, token: str) -> None:
        """Connect to nothing yet.

        Args:
            url: The service's address, ending in a slash: `http://…/`, or `http+unix://<socket>/…/` with the
                socket's path URL-encoded.
            token: The member's hub token.
        """
        parts = urlsplit(url)
        socket_path = unquote(parts.netloc) if parts.scheme == "http+unix" else None
        self._http = httpx.Client(
            base_url=f"http://course{parts.path}" if socket_path else url,
            transport=httpx.HTTPTransport(uds=socket_path, trust_env=False),
            headers={"Authorization": f"token {token}"},
            timeout=httpx.Timeout(REPLY_SECONDS, connect=CONNECT_SECONDS),
        )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self | None:
        """Return a client for `SPOC_SERVICE_URL` and `JUPYTERHUB_API_TOKEN`; None where there is no service.

        A kernel that grades a notebook has none.
        """
        url = environment.get("SPOC_SERVICE_URL")
        return cls(url, environment.get("JUPYTERHUB_API_TOKEN", "")) if url else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, reply: type[Reply]) -> Reply:
        """Return what the service says at `path`, which is relative to its prefix.

        Raises:
            CourseError: It refuses; the error's class and text say why.
            ServiceUnreachable: Nobody answers, or with a fault of its own.
        """
        return _read(self._send("GET", path), reply)

    def get_text(self, path: str) -> str:
        """Return a page as text; raises as `get` does."""
        return self._send("GET", path).text

    def post(self, path: str, message: BaseModel | None, reply: type[Reply]) -> Reply:
        """Send `message` as JSON and return the answer; raises as `get` does."""
        headers = {"Content-Type": "application/json"} if message else {}
        content = message.model_dump_json() if message else None
        return _read(self._send("POST", path, content=content, headers=headers), reply)

    def post_stream(
        self, path: str, chunks: Iterable[bytes], reply: type[Reply], key: UUID | None = None
    ) -> Reply:
        """Send a body of unknown length, piece by piece, and return the answer; raises as `get` does.

        With a `key`, the same request may be sent again when no answer came: it counts once.
        """
        timeout = httpx.Timeout(TRANSFER_SECONDS, connect=CONNECT_SECONDS)
        headers = {KEY_HEADER: str(key)} if key else {}
        return _read(self._send("POST", path, content=chunks, headers=headers, timeout=timeout), reply)

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **request)
        except httpx.TransportError as error:
            raise _unreachable() from error
        if response.is_success:
            return response
        raise _refusal(response)


def _read(response: httpx.Response, reply: type[Reply]) -> Reply:
    try:
        return reply.model_validate_json(response.content)
    except ValidationError as error:
        raise CourseError(
            "The course service answered in a form that this server does not understand.",
            "Restart your server: File, Hub Control Panel, Stop My Server.",
        ) from error


def _refusal(response: httpx.Response) -> CourseError:
    if response.status_code >= 500 and response.status_code not in _ERRORS:
        return _unreachable()
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        return CourseError(f"The course service refused the request ({response.status_code}).")
    return _ERRORS.get(response.status_code, CourseError)(problem.problem, problem.next_step)


def _unreachable() -> ServiceUnreachable:
    return ServiceUnreachable(
        "The course service cannot be reached at the moment.", "Try again in a minute; nothing is lost."
    )
