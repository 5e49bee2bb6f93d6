"""Forked processes to attack from, and what there is on this machine to get at.

host      (module) a file, sockets and words that must stay out of a forked process
warm      (module) a fork server whose children attack; who started it has a secret in its environment
mallory   a forked process
zoe       (module) another one, which runs from before the first attack until after the last
"""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from graders.forkserver.parent import ForkedProcess, WarmParent
from tests.attacks.intruder import ENVIRONMENT, ROLES, SECRET_OF_THE_HUB, Host


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with (
        tempfile.TemporaryDirectory(prefix="spoc-attack-") as name,
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        folder = Path(name)
        folder.chmod(0o777)
        word = folder.name + "-a-secret-of-the-hub"
        secret = folder / f"{folder.name}.db"
        secret.write_text(word)
        secret.chmod(0o666)
        datagrams.bind(("127.0.0.1", 0))
        datagrams.setblocking(False)
        unix.bind(str(folder / "hub.sock"))
        unix.listen()
        abstract.bind(f"\0{folder.name}")
        abstract.listen()
        place = Path(unix.getsockname())
        port = server.getsockname()[1]
        yield Host(secret, word, port, datagrams, place, f"@{folder.name}")


@pytest.fixture(scope="module")
def warm(host: Host) -> Iterator[WarmParent]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET_OF_THE_HUB, host.word)
        with WarmParent(ENVIRONMENT, roles=ROLES) as parent:
            yield parent


@pytest.fixture
def mallory(warm: WarmParent) -> Iterator[ForkedProcess]:
    with warm.fork("cells") as process:
        yield process


@pytest.fixture(scope="module")
def zoe(warm: WarmParent) -> Iterator[ForkedProcess]:
    with warm.fork("cells") as process:
        yield process
