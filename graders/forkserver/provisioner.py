"""Starts kernels by a fork, by Jupyter's own plug point: a kernelspec names the provisioner `spoc-fork`.

    "metadata": {"kernel_provisioner": {"provisioner_name": "spoc-fork", "config": {"imports": ["pandas"]}}}

The kernelspec may be that of any Python program that starts an IPython kernel. What cannot be forked is
started as without this provisioner, and the log says why.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Bool, List, Unicode

from course.errors import SandboxUnavailable
from graders.forkserver.channel import ChannelClosed
from graders.forkserver.confinement import HOME, SHARED
from graders.forkserver.limits import ProcessLimits
from graders.forkserver.parent import ForkedProcess, ForkServerFailed, WarmEnvironment, WarmParent
from graders.sandbox.provisioner import ENVIRONMENT

READY_SECONDS = 10
SOCKETS = "k"
CONNECTION_FILE = "kernel.json"
ROLES = {"kernel": "graders.forkserver.kernel"}
INLINE_BACKEND = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}
"""What has threads cannot be forked; the libraries keep to this number afterwards."""
NO_POLLING = "--IPKernelApp.parent_handle=1"
"""A forked kernel ends with its server anyway, and is not one that somebody started by hand."""
NO_HISTORY_FILE = "--HistoryManager.hist_file=:memory:"
"""A confined process locks no file, which SQLite needs."""
HARMLESS_FLAGS = re.compile(r"-(P|Xfrozen_modules=(on|off))")
"""Options of an interpreter that make no difference to a kernel that is forked."""


class NotForkable(Exception):
    """A kernel's command is none that a fork can take the place of; says why."""


@dataclass(frozen=True, slots=True)
class ModuleCommand:
    """`python -m module arguments…`."""

    python: Path
    module: str
    arguments: tuple[str, ...]

    @classmethod
    def parse(cls, command: Sequence[str]) -> ModuleCommand:
        """Return the parts of a kernel's command.

        Raises:
            NotForkable: It is another program, or Python with options that a fork cannot give.
        """
        python, *rest = command
        while rest and HARMLESS_FLAGS.fullmatch(rest[0]):
            rest.pop(0)
        if len(rest) < 2 or rest[0] != "-m" or not Path(python).name.startswith("python"):
            raise NotForkable(f"its command is not `python -m MODULE`: {' '.join(command)}")
        found = shutil.which(python)
        if found is None:
            raise NotForkable(f"there is no {python}")
        return cls(Path(found), rest[1], (*rest[2:], NO_POLLING))


class ForkedKernel:
    """A forked kernel in the shape of `subprocess.Popen`, which is what Jupyter knows."""

    stdin = stdout = stderr = None

    def __init__(self, process: ForkedProcess) -> None:
        self.process = process
        self.pid = process.pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        with suppress(TimeoutExpired):
            self.wait(timeout=0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            try:
                status = self.process.wait(timeout)
            except TimeoutError as error:
                raise TimeoutExpired("kernel", timeout or 0) from error
            self.returncode = status.code if status.code is not None else -(status.signal or 0)
            # What it has left behind ends with it, and its descriptors are given back.
            self.process.kill()
        return self.returncode

    def send_signal(self, number: int) -> None:
        self.process.send_signal(number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class ForkProvisioner(LocalProvisioner):
    """Forks a kernel from a warm parent; there is one for each environment and list of imports.

    A forked kernel inherits no descriptor but those of its output, and ends when this process does.
    """

    imports = List(Unicode(), help="Modules that are imported before the fork.").tag(config=True)
    sandboxed = Bool(
        False,
        help="Confine the kernel as a graded one is: no network, no file of the machine, nothing kept. It is"
        " refused then where it cannot be confined, and never started another way.",
    ).tag(config=True)

    process: Any = None
    folder: Path | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Prepare the start; a sandboxed kernel talks by sockets in a folder that its client shares."""
        if self.sandboxed and self.parent is not None:
            warm = await asyncio.to_thread(self._warm_parent, Path(sys.executable))
            if self.folder is None:
                self.folder = Path(tempfile.mkdtemp(dir=warm.shared, prefix=""))
                # Whoever the kernel runs as: outside, nobody else gets to this folder.
                self.folder.chmod(0o777)
            self.parent.transport = "ipc"
            self.parent.ip = str(self.folder / SOCKETS)
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork the kernel; without a sandbox, start it as ever where that fails."""
        try:
            kernel = await asyncio.to_thread(self._fork, cmd, kwargs)
        except (NotForkable, ForkServerFailed, SandboxUnavailable) as error:
            if self.sandboxed:
                raise
            self.log.warning("This kernel is started without a fork: %s", error)
            return await super().launch_kernel(cmd, **kwargs)
        self.process = kernel
        self.pid, self.pgid, self.cwd = kernel.pid, None, kwargs.get("cwd")
        return self.connection_info

    async def wait(self) -> int | None:
        """Wait for the end of the kernel; of a forked one it is told at once."""
        if isinstance(self.process, ForkedKernel) and self.process.poll() is None:
            ended = asyncio.Event()
            loop = asyncio.get_running_loop()
            descriptor = self.process.process.fileno()
            loop.add_reader(descriptor, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(descriptor)
        return await super().wait()

    async def cleanup(self, restart: bool = False) -> None:
        await super().cleanup(restart=restart)
        if self.folder is not None and not restart:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def _fork(self, command: list[str], launch: Mapping[str, Any]) -> ForkedKernel:
        """Return the kernel once its sockets are bound; takes a second when it is the first of its kind."""
        parsed = ModuleCommand.parse(command)
        warm = self._warm_parent(parsed.python)
        warm.ensure_running()
        if self.folder is not None:
            process = warm.start("kernel", ProcessLimits(), shared=self.folder.name)
            start = self._confined_start(parsed)
            standard: tuple[int, ...] = ()
        else:
            process = warm.start("kernel", None)
            start = {
                "module": parsed.module,
                "arguments": parsed.arguments,
                "variables": dict(launch.get("env") or os.environ),
                "folder": str(launch.get("cwd") or Path.cwd()),
            }
            standard = (_descriptor(launch, "stdout", 1), _descriptor(launch, "stderr", 2))
        # One that dies before it is ready is found dead by the manager, as one that was started.
        with suppress(ChannelClosed, TimeoutError):
            process.channel.send(start, fds=standard, timeout=READY_SECONDS)
            process.channel.receive(timeout=READY_SECONDS)
        return ForkedKernel(process)

    def _confined_start(self, command: ModuleCommand) -> dict[str, Any]:
        assert self.folder is not None
        assert self.parent is not None
        outside = self.parent.connection_file
        connection = json.loads(Path(outside).read_text())
        inside = {**connection, "ip": f"{SHARED}/{SOCKETS}"}
        file = self.folder / CONNECTION_FILE
        file.write_text(json.dumps(inside))
        file.chmod(0o644)
        replaced = {outside: f"{SHARED}/{CONNECTION_FILE}"}
        return {
            "module": command.module,
            "arguments": [*(replaced.get(part, part) for part in command.arguments), NO_HISTORY_FILE],
            "variables": {**ENVIRONMENT, **INLINE_BACKEND},
            "folder": HOME,
        }

    def _warm_parent(self, python: Path) -> WarmParent:
        return _warm_parent(WarmEnvironment(tuple(self.imports), python=python), self.sandboxed)


@cache
def _warm_parent(environment: WarmEnvironment, sandboxed: bool) -> WarmParent:
    """Return the parent of all kernels of an environment, which ends with this process."""
    own = {name: value for name, value in os.environ.items() if name != "JPY_PARENT_PID"}
    variables = {**ENVIRONMENT, **INLINE_BACKEND} if sandboxed else {**INLINE_BACKEND, **own, **ONE_THREAD}
    warm = WarmParent(environment, unsafe_no_sandbox=not sandboxed, roles=ROLES, variables=variables)
    atexit.register(warm.close)
    return warm


def _descriptor(launch: Mapping[str, Any], name: str, default: int) -> int:
    given: Any = launch.get(name)
    if hasattr(given, "fileno"):
        return int(given.fileno())
    return given if isinstance(given, int) and given >= 0 else default
