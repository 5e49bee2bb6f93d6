"""What a fork server answers, as its clients take it."""

from __future__ import annotations

import errno
import os
import socket
import threading
from pathlib import Path

import pytest

from course.errors import SandboxUnavailable
from graders.forkserver.channel import Channel
from graders.forkserver.client import ForkServerFailed, attach
from graders.forkserver.served import why_not

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("number", "raised"),
    [
        (errno.EAGAIN, ForkServerFailed),
        (errno.ENOMEM, ForkServerFailed),
        (errno.ENOSPC, ForkServerFailed),
        (errno.EPERM, SandboxUnavailable),
    ],
)
def test_a_lack_that_passes_can_be_tried_again_and_a_missing_wall_cannot(
    number: int, raised: type[Exception], tmp_path: Path
) -> None:
    def serve() -> None:
        accepted, _ = listener.accept()
        with Channel(accepted, max_fds=1) as connection:
            for descriptor in connection.receive(timeout=10).fds:
                os.close(descriptor)
            connection.send({why_not(OSError(number, os.strerror(number))): os.strerror(number)})

    address = tmp_path / "server.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        server = threading.Thread(target=serve)
        server.start()
        with pytest.raises(raised, match=os.strerror(number)):
            attach(address).fork("cells")
        server.join(10)
