"""Tries to get out of a forked process, before anybody's code is let into one."""

from __future__ import annotations

import os
import socket

from graders.forkserver.channel import Channel
from graders.sandbox.escapes import connected, succeeds, ways_out, writable

EXPECTED_DESCRIPTORS = 5
"""0, 1, 2, the channel, and the one that lists them."""


def serve(channel: Channel) -> None:
    """Take one message that names what there is to find, and answer with the list of ways out.

    The header has the arguments of `ways_out`, and `address`: where the fork server listens.
    """
    header = channel.receive().header
    attempts = {
        "reach the fork server": lambda: connected(socket.AF_UNIX, header["address"]),
        "look into the first process": lambda: writable_memory(1),
        "write beside its own folders": lambda: writable("/home/" + header["marker"]),
        "use what the fork server holds open": lambda: (
            len(os.listdir("/proc/self/fd")) > EXPECTED_DESCRIPTORS
        ),
    }
    found = [escape for escape, attempt in attempts.items() if succeeds(attempt)]
    # Last, as a way out that is open can change what this process is.
    found += ways_out(header["secret"], header["marker"], header["port"])
    channel.send({"found": found})


def writable_memory(pid: int) -> bool:
    with open(f"/proc/{pid}/mem", "r+b", buffering=0):
        return True
