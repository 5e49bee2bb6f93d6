"""Starts graded kernels inside the sandbox, by Jupyter's own plug points.

Each kernel has a private folder outside: `connection/`, the only thing it shares with its client, and
`files/`, a copy of what was submitted beside the notebooks. Inside it works on a copy of those in memory. It
sees no course directory, no gradebook, no other submission, no network and no process but its own.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Int

from course.errors import SandboxUnavailable
from graders.sandbox.bubblewrap import SHELL, sandboxed
from graders.sandbox.folders import make_folder
from graders.sandbox.policy import (
    GIB,
    GRADING_UID,
    MIB,
    Bind,
    SandboxPolicy,
    course_content,
    python_environment,
)

GRADED_KERNEL_DIR = Path(__file__).parent.parent / "kernels" / "graded"
FILES_INSIDE = Path("/srv/submission")
WORK_INSIDE = Path("/home/learner")
PACKAGES_INSIDE = ("course", "extensions")

# The copy is made inside, where a full disk is the sandbox's own.
_COPY_THEN_RUN = 'cp -R "$0/." . && exec "$@"'

ENVIRONMENT = {
    "HOME": str(WORK_INSIDE),
    "LANG": "C.UTF-8",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108 - the sandbox's own
    "IPYTHONDIR": "/tmp/ipython",  # noqa: S108
    "NBGRADER_EXECUTION": "autograde",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # What a notebook starts by name (`!python program.py`) is of the environment that it runs in.
    "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
    "USER": "learner",
}


class GradedKernelManager(AsyncKernelManager):
    """Manages the graded kernel and no other, whatever kernel a notebook asks for."""

    def __init__(self, **kwargs: Any) -> None:
        # Sockets need a short path, and /tmp is where one is.
        self.folder = make_folder("kernel")
        for part in ("connection", "files"):
            (self.folder / part).mkdir(mode=0o700)
        file = self.folder / "connection" / "kernel.json"
        super().__init__(**{**kwargs, "transport": "ipc", "connection_file": str(file)})

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec.from_resource_dir(str(GRADED_KERNEL_DIR))

    @property
    def read_only(self) -> tuple[Bind, ...]:
        """What the kernel needs of the host."""
        return python_environment(*PACKAGES_INSIDE)

    @property
    def environment(self) -> Mapping[str, str]:
        """All variables of the kernel."""
        return ENVIRONMENT

    def remove_folder(self) -> None:
        """Remove what the kernel shared with this process."""
        shutil.rmtree(self.folder, ignore_errors=True)


class SandboxProvisioner(LocalProvisioner):
    """Runs a graded kernel in the sandbox; refuses to run it anywhere else."""

    memory_bytes = Int(2 * GIB, help="Address space of each process of the kernel.").tag(config=True)
    cpu_seconds = Int(300, help="CPU time of each process of the kernel.").tag(config=True)
    scratch_bytes = Int(256 * MIB, help="Size of its working folder, and of its /tmp.").tag(config=True)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Wrap the kernel's command; `cwd` is the folder of the notebook that is graded.

        Raises:
            SandboxUnavailable: The manager is not made for sandboxed kernels.
        """
        manager = self.parent
        if not isinstance(manager, GradedKernelManager):
            raise SandboxUnavailable(
                "The graded kernel was started by a manager that would listen on the network.",
                "Grade with: spoc grade run",
            )
        launch = await super().pre_launch(**kwargs)
        _copy_files(Path(launch["cwd"]), manager.folder / "files")
        _give_to_grading_uid(manager.folder / "connection")
        policy = SandboxPolicy(
            work_dir=WORK_INSIDE,
            scratch=(WORK_INSIDE,),
            read_only=(*manager.read_only, Bind(manager.folder / "files", FILES_INSIDE)),
            hidden=course_content(),
            writable=(Bind(manager.folder / "connection"),),
            environment=manager.environment,
            # It has seen hidden tests, and must not pass them on to a learner's server that runs meanwhile.
            locks_files=False,
            scratch_bytes=self.scratch_bytes,
            memory_bytes=self.memory_bytes,
            cpu_seconds=self.cpu_seconds,
        )
        command = [SHELL, "-c", _COPY_THEN_RUN, str(FILES_INSIDE), *launch["cmd"]]
        # What the kernel writes past its own output channel goes nowhere; it could fill the worker's log.
        quiet = {"stdout": DEVNULL, "stderr": DEVNULL}
        return {**launch, **quiet, "cmd": sandboxed(command, policy), "cwd": str(manager.folder)}

    async def cleanup(self, restart: bool = False) -> None:
        await super().cleanup(restart=restart)
        if not restart and isinstance(self.parent, GradedKernelManager):
            self.parent.remove_folder()


def _copy_files(source: Path, target: Path) -> None:
    """Copy what lies beside the notebooks. They stay out: in them the hidden tests can be read."""
    for path in sorted(source.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.suffix == ".ipynb":
            continue
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _give_to_grading_uid(folder: Path) -> None:
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            os.chown(path, GRADING_UID, GRADING_UID)
