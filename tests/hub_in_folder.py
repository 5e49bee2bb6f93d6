"""A JupyterHub as a process that keeps all its files in one folder, and ends with the test."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
STOP_SECONDS = 30


@contextmanager
def hub_in_folder(folder: Path, config: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start JupyterHub with the text of a configuration file; it writes to `hub.log`. Stop it at the end.

    Raises:
        TimeoutExpired: It did not stop when asked; it was killed.
    """
    config_file = folder / "jupyterhub_config.py"
    config_file.write_text(config, encoding="utf-8")
    with (folder / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config_file), *options],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def free_ports(count: int) -> list[int]:
    """Return different TCP ports of the loopback that nobody listens on at this moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
