"""What one member's server may touch, and the folders it is given."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

from course.roster import TEACHING, Member
from course.state import StateFolder
from graders.sandbox.policy import Bind, SandboxPolicy, course_content, python_environment
from hub_config.runtime import RuntimeFolder

CONFIG_DIR = Path(__file__).parent / "server_config"

PACKAGES = ("course", "extensions")
RELEASE_INSIDE = Path("/srv/release")
CONFIG_INSIDE = Path("/srv/config")
HUB_INSIDE = Path("/run/hub")
HUB_URL_INSIDE = "http+unix://%2Frun%2Fhub%2Fhub.sock"
COURSE_URL_INSIDE = "http+unix://%2Frun%2Fhub%2Fcourse.sock/services/course/"
SERVER_SOCKET = "/run/server.sock"
"""What the server is told that it listens on; it inherits the socket, and there is no such file."""

CHOWN = "/usr/bin/chown"
TRAINERS_UID = 200_000
"""The course directory has one owner, so all who teach share a uid. Member ids begin at 1."""


def member_uid(member: Member) -> int:
    """Return the uid of a member's server when root runs the hub."""
    return TRAINERS_UID if member.role in TEACHING else TRAINERS_UID + member.id


def home_inside(name: str) -> Path:
    """Return where a member's home appears inside the sandbox."""
    home = Path("/home", name)
    # An operator of the same name may have the environment in the own home, which must not be covered.
    if any(bind.source.is_relative_to(home) for bind in python_environment(*PACKAGES)):
        return home.with_name(f"{name}.course")
    return home


def server_policy(
    member: Member, state: StateFolder, runtime: RuntimeFolder, memory_bytes: int | None
) -> SandboxPolicy:
    """Return the limits of a member's server; a sandbox is to be made of it after `prepare_folders`."""
    teaches = member.role in TEACHING
    home = home_inside(member.name)
    account_dir = runtime.account_dir(member.name)
    course_dir = (Bind(state.course_dir, home / "course"),) if teaches else ()
    return SandboxPolicy(
        work_dir=home,
        read_only=(
            *python_environment(*PACKAGES),
            Bind(CONFIG_DIR / ("trainer" if teaches else "learner"), CONFIG_INSIDE),
            Bind(state.released_dir, RELEASE_INSIDE),
            Bind(runtime.hub_dir, HUB_INSIDE),
            *(Bind(account_dir / name, Path("/etc", name)) for name in ("passwd", "group", "hosts")),
        ),
        hidden=course_content(),
        writable=(Bind(state.homes_dir / member.name, home), *course_dir),
        # The hub passes the exact variables, some of them secret; a hub that restarts finds the server again.
        environment=None,
        outlives_caller=True,
        uid=member_uid(member),
        memory_bytes=memory_bytes,
        processes=512,
        open_files=4096,
    )


def member_environment(name: str, base_url: str) -> dict[str, str]:
    """Return the variables of a member's server that differ from JupyterHub's own."""
    home = str(home_inside(name))
    return {
        "HOME": home,
        "JUPYTERHUB_ROOT_DIR": home,
        "JUPYTERHUB_SERVICE_URL": f"http+unix://%2Frun%2Fserver.sock{base_url}",
        "JUPYTER_CONFIG_PATH": str(CONFIG_INSIDE),
        # Kernels' sockets lie here; in the home their paths would be too long.
        "JUPYTER_RUNTIME_DIR": "/tmp/jupyter",  # noqa: S108 - the sandbox's own
        "LANG": "C.UTF-8",
        "PATH": f"{Path(sys.prefix) / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "SHELL": "/bin/bash",
        "SPOC_RELEASE_DIR": str(RELEASE_INSIDE),
        "SPOC_SERVICE_URL": COURSE_URL_INSIDE,
        "USER": name,
    }


def prepare_folders(member: Member, state: StateFolder, runtime: RuntimeFolder) -> None:
    """Make what `server_policy` binds, each owned by who may write it. Follows no link."""
    state.released_dir.mkdir(exist_ok=True)
    state.homes_dir.mkdir(mode=0o700, exist_ok=True)
    home = state.homes_dir / member.name
    uid = member_uid(member)
    _make_folder(home)
    # At a first start, or in another role now; each start would go through all of a large home.
    if home.lstat().st_uid != uid:
        _hand_over(home, uid)
    if member.role in TEACHING:
        _make_folder(state.course_dir)
        # Always, because the operator's commands write there as root.
        _hand_over(state.course_dir, uid)
        _make_mount_point(home / "course")
    _write_account(runtime.account_dir(member.name), member.name, uid if _is_root() else os.getuid())


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise NotADirectoryError(f"{folder} is not a folder")


def _hand_over(folder: Path, uid: int) -> None:
    """Give `folder` and all in it to `uid`, when root runs the hub; the folder itself comes last."""
    if _is_root():
        # Unlike Python, it takes any depth: folders in folders must not stop the hub.
        subprocess.run(
            [CHOWN, "--recursive", "-P", "--no-dereference", f"{uid}:{uid}", f"{folder}"], check=True
        )


def _make_mount_point(folder: Path) -> None:
    # The home is its owner's, who may have left anything there.
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    folder.mkdir(exist_ok=True)


def _write_account(folder: Path, name: str, uid: int) -> None:
    folder.mkdir(mode=0o755, exist_ok=True)
    passwd = f"{name}:x:{uid}:{uid}::{home_inside(name)}:/bin/bash\n"
    (folder / "passwd").write_text(passwd, encoding="ascii")
    (folder / "group").write_text(f"{name}:x:{uid}:\n", encoding="ascii")
    (folder / "hosts").write_text("127.0.0.1 localhost\n", encoding="ascii")


def _is_root() -> bool:
    return os.geteuid() == 0
