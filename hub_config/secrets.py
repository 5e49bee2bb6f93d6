"""The deployment's secrets, one file each in the state folder, and the way of `spoc` into a running hub."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import httpx

from course.state import StateFolder
from hub_config.runtime import runtime_folder

COMMAND_SERVICE = "spoc-command"
"""The hub knows the `spoc` command as this service."""

METRICS_SERVICE = "metrics"
"""Whoever reads the metrics, of the hub and of the course service."""

SECRET_BYTES = 32


def secret(state: StateFolder, name: str) -> str:
    """Return the secret `name`, 64 hexadecimal digits; made at first use, for the operator's eyes alone."""
    state.secrets_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = state.secrets_dir / name
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        _write_once(path, secrets.token_hex(SECRET_BYTES))
    return path.read_text(encoding="ascii").strip()


def _write_once(path: Path, text: str) -> None:
    # Whole or not at all, and the first of two processes wins: a link onto an existing name fails.
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def hub_client(state: StateFolder) -> httpx.Client:
    """Return a client of the running hub's REST API, for paths such as `users/ada`.

    A request raises `httpx.ConnectError` when no hub runs on `state`.
    """
    return httpx.Client(
        transport=httpx.HTTPTransport(uds=str(runtime_folder(state).hub_socket)),
        base_url="http://hub/hub/api/",
        headers={"Authorization": f"token {secret(state, COMMAND_SERVICE)}"},
        timeout=60,
    )
