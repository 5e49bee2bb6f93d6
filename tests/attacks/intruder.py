"""A process that a fork server forked, and that tries what it is told: see `inside/intrusion`."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graders.forkserver.parent import ForkedProcess, WarmEnvironment

ROLES = {"cells": "intrusion.role"}
ENVIRONMENT = WarmEnvironment(imports=("numpy",), paths=(Path(__file__).parent / "inside",))
SECRET_OF_THE_HUB = "SPOC_SECRET_OF_THE_HUB"


@dataclass(frozen=True)
class Host:
    """What there is to get at: words that must not get in, places that must not be reached."""

    secret: Path
    word: str
    tcp_port: int
    datagrams: socket.socket
    unix: Path
    abstract: str

    @property
    def udp_port(self) -> int:
        return int(self.datagrams.getsockname()[1])


def ask(process: ForkedProcess, attack: str, **given: object) -> Any:
    """Return what an attack got, None when the system refused it."""
    process.channel.send({"attack": attack, "given": given}, timeout=60)
    answer = process.channel.receive(timeout=90).header
    assert "broken" not in answer, answer["broken"]
    return answer.get("got")
