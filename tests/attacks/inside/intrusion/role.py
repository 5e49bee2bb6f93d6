"""The role of a forked process that attacks what it is told to attack."""

from __future__ import annotations

import traceback
from importlib import import_module
from typing import Any

from graders.forkserver.channel import Channel


def prepare() -> None:
    for name in ("files", "network", "privileges", "processes", "resources"):
        import_module(f"intrusion.{name}")


def serve(channel: Channel) -> None:
    """Answer `attack` (module and function) and `given` (its arguments) by what came of it."""
    while True:
        asked = channel.receive().header
        channel.send(_outcome(asked["attack"], asked["given"]))


def _outcome(attack: str, given: dict[str, Any]) -> dict[str, Any]:
    module, _, function = attack.partition(".")
    try:
        return {"got": getattr(import_module(f"intrusion.{module}"), function)(**given)}
    except (OSError, MemoryError) as error:
        return {"refused": f"{type(error).__name__}: {error}"}
    except Exception:
        return {"broken": traceback.format_exc()}
