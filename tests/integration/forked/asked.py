"""What the fork server's tests let a forked process do: evaluate what the test sends."""

from __future__ import annotations

import os
import socket
from typing import Any

from graders.forkserver.channel import Channel

STATE: dict[str, Any] = {"prepared": False}


def prepare() -> None:
    STATE["prepared"] = True


def serve(channel: Channel) -> None:
    """Answer `code` with its value's repr or its error; `snapshot` by a copy that serves on a descriptor."""
    while True:
        message = channel.receive()
        if "snapshot" in message.header:
            pid = os.fork()
            if pid == 0:
                channel.close()
                channel = Channel(socket.socket(fileno=message.fds[0]), max_fds=1)
                continue
            os.close(message.fds[0])
            channel.send({"snapshot": pid})
            continue
        try:
            scope = {**globals(), "channel": channel}
            exec(message.header.get("first", ""), scope)  # noqa: S102 - the test's own
            value = eval(message.header["code"], scope)  # noqa: S307
            channel.send({"value": repr(value)})
        except (Exception, KeyboardInterrupt) as error:
            channel.send({"error": repr(error)})
