"""Where the processes of a running deployment meet: a folder of unix sockets, which holds no state."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from course.errors import CourseError
from course.state import StateFolder

# A socket's path is at most 107 bytes long, and JupyterHub reads it in lower case: so it cannot lie in the
# state folder, which may lie anywhere, nor where TMPDIR points.
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - the owner is checked before use


@dataclass(frozen=True, slots=True)
class RuntimeFolder:
    """The paths below one runtime folder."""

    root: Path

    @property
    def hub_dir(self) -> Path:
        """What a member's server may reach; bound into its sandbox."""
        return self.root / "hub"

    @property
    def hub_socket(self) -> Path:
        return self.hub_dir / "hub.sock"

    @property
    def course_socket(self) -> Path:
        return self.hub_dir / "course.sock"

    @property
    def proxy_api_socket(self) -> Path:
        return self.root / "proxy.sock"

    def server_socket(self, name: str) -> Path:
        """The socket of a member's server; never seen inside the sandbox, which inherits it open."""
        return self.root / "servers" / f"{name}.sock"

    def account_dir(self, name: str) -> Path:
        """The `passwd`, `group` and `hosts` that a member's sandbox shows as its own."""
        return self.root / "accounts" / name


def runtime_folder(state: StateFolder) -> RuntimeFolder:
    """Return the runtime folder of `state`, for whoever asks; creates nothing."""
    digest = hashlib.sha256(os.fsencode(state.root.resolve())).hexdigest()[:12]
    return RuntimeFolder(SHORT_FOLDER / f"spoc-{os.geteuid()}-{digest}")


def prepare_runtime_folder(runtime: RuntimeFolder) -> None:
    """Make the folder and its parts, closed to every other user.

    Raises:
        CourseError: Somebody else was there first.
    """
    runtime.root.mkdir(mode=0o700, exist_ok=True)
    found = runtime.root.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise CourseError(
            f"{runtime.root} is not a folder of yours, so sockets in it could be read by somebody else.",
            "Look who made it, remove it, and start again.",
        )
    runtime.root.chmod(0o700)
    for folder in (runtime.hub_dir, runtime.root / "servers", runtime.root / "accounts"):
        folder.mkdir(mode=0o755, exist_ok=True)


def socket_url(path: Path) -> str:
    """Return the address of a unix socket as JupyterHub writes it."""
    return f"http+unix://{quote(str(path), safe='')}"


def free_port() -> int:
    """Return a TCP port of the loopback that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on this TCP port of the loopback."""
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
