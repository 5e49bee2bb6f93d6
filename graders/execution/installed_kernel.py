"""A kernel of another language or environment in the sandbox: what it sees there, what interrupts it."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_core.utils import run_sync

from graders.sandbox.policy import Bind, python_environment
from graders.sandbox.provisioner import ENVIRONMENT, GradedKernelManager

SIGNS_OF_ENVIRONMENTS = ("pyvenv.cfg", "conda-meta", "lib/R", "lib64/R", "lib/python*/os.py")
R_CONFIGURATION = ("ldpaths", "Renviron", "Rprofile.site", "repositories", "Makeconf")
"""In /etc/R, without which the R of a Linux distribution does not start. `Renviron.site` stays outside: it is
where people keep keys."""
R_LIBRARIES = ("R_LIBS", "R_LIBS_SITE", "R_LIBS_USER")
OWN_R_LIBRARIES = Path("R")
"""In a home: where R installs packages that are not for the whole machine."""
_LOCALE = ("LANG", "LANGUAGE", "TZ")


class InstalledKernelManager(GradedKernelManager):
    """Starts any installed kernel in the sandbox; it sees the environment that its program belongs to."""

    @property
    def kernel_spec(self) -> KernelSpec:
        spec = KernelSpecManager().get_kernel_spec(self.kernel_name)
        spec.metadata = {**spec.metadata, "kernel_provisioner": {"provisioner_name": "spoc-sandbox"}}
        if spec.language == "python":
            # Of its threads the one that a signal reaches need not be the one that runs the cell.
            spec.interrupt_mode = "message"
        return spec

    @property
    def read_only(self) -> tuple[Bind, ...]:
        spec = self.kernel_spec
        folders = [Path(spec.resource_dir), *environments_of(program_of(spec))]
        if spec.language == "R":
            folders += [*(Path("/etc/R", name) for name in R_CONFIGURATION), *_folders_of_r(spec.env)]
        own = [Bind(path) for path in folders if path.exists() and not path.is_relative_to("/usr")]
        return tuple(dict.fromkeys((*python_environment(), *own)))

    @property
    def environment(self) -> Mapping[str, str]:
        spec = self.kernel_spec
        program = program_of(spec)
        path = f"{program.parent}:{ENVIRONMENT['PATH']}" if program.is_absolute() else ENVIRONMENT["PATH"]
        # Figures appear in the notebook unless the kernelspec wants it otherwise.
        own = {name: value for name, value in ENVIRONMENT.items() if name != "MPLBACKEND"}
        libraries = _libraries_of_r() if spec.language == "R" else {}
        return {**own, **_locale(), "PATH": path, **libraries, **spec.env}

    def interrupt(self) -> None:
        """Interrupt the kernel as its kernelspec says."""
        if self.kernel_spec.interrupt_mode == "message":
            run_sync(self.interrupt_kernel)()
            return
        # Sent to the sandbox, the signal would end it.
        sandbox = self.provisioner.pid if isinstance(self.provisioner, LocalProvisioner) else None
        if (kernel := _process_inside(sandbox)) is not None:
            try:
                os.killpg(os.getpgid(kernel), signal.SIGINT)
            except ProcessLookupError:
                return


def program_of(spec: KernelSpec) -> Path:
    """Return the program of a kernel, absolute if it is found."""
    return Path(shutil.which(spec.argv[0]) or spec.argv[0])


def environments_of(program: Path) -> Iterator[Path]:
    """Yield the folders of the environment that a program belongs to, and of the one below a virtual one.

    Where nothing says that a folder is an environment, or it is a home too, only that of the program itself,
    and the R beside it.
    """
    if not program.is_absolute():
        return
    homes = {Path.home(), *Path.home().parents}
    for place in dict.fromkeys((program, program.resolve())):
        # The R that IRkernel notes is in lib/R/bin.
        above = place.parents[3] if place.match("lib*/R/bin/*") else place.parents[1]
        if above not in homes and any(any(above.glob(sign)) for sign in SIGNS_OF_ENVIRONMENTS):
            yield above
        else:
            yield place.parent
            yield from above.glob("lib*/R")


def _folders_of_r(environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield the folders with packages of R that are not part of its installation."""
    yield from (Path.home() / OWN_R_LIBRARIES).glob("*-library")
    named = {**os.environ, **environment}
    for name in R_LIBRARIES:
        yield from (Path(place) for place in named.get(name, "").split(":") if place.startswith("/"))


def _libraries_of_r() -> dict[str, str]:
    """Return where R finds packages: at home it would look in the one of the sandbox."""
    own = Path.home() / OWN_R_LIBRARIES / "%p-library" / "%v"
    return {"R_LIBS_USER": f"{own}", **{name: os.environ[name] for name in R_LIBRARIES if name in os.environ}}


def _locale() -> dict[str, str]:
    """Return what texts are sorted and told by; most languages go by it where Python does not."""
    return {name: value for name, value in os.environ.items() if name in _LOCALE or name.startswith("LC_")}


def _process_inside(sandbox: int | None) -> int | None:
    """Return the process that a sandbox was made for; None if it is gone.

    bubblewrap waits outside, its child is the first process inside, and the oldest child of that is the one.
    """
    process = sandbox
    for _ in range(2):
        try:
            children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
        except OSError:
            return None
        if not children:
            return None
        process = int(children[0])
    return process
