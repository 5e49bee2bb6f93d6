"""Whether this machine can run a course."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from course.state import StateFolder
from graders.sandbox.selftest import check_sandbox
from hub_config.checkup.finding import Finding, found
from hub_config.proxy import proxy_command

PROJECT = "jupyter-spoc"
TESTED_PYTHONS = ("3.11", "3.12", "3.13")
LEAST_FREE_BYTES, ENOUGH_FREE_BYTES = 2**30, 10 * 2**30
LEAST_FREE_FILES = 100_000
LEAST_MEMORY_BYTES = 2 * 2**30
NEEDED_CONTROLLERS = ("memory", "pids")
CGROUPS = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")


def check_machine(state: StateFolder) -> Iterator[Finding]:
    """Look at what every deployment needs."""
    yield python_version(".".join(platform.python_version_tuple()[:2]))
    yield packages(metadata.requires(PROJECT) or ())
    yield found("proxy", _find_proxy)
    yield found("sandbox", _try_sandbox)
    yield cgroups(CGROUPS)
    yield disk(_nearest_folder(state.root))
    yield memory(MEMINFO.read_text(encoding="ascii"))


def python_version(running: str) -> Finding:
    said = f"Python {running} in {sys.prefix}"
    if running in TESTED_PYTHONS:
        return Finding("python", "ok", said)
    tested = ", ".join(TESTED_PYTHONS)
    return Finding("python", "warning", f"{said} is not tested.", f"The tests run with {tested}.")


def packages(requirements: Iterable[str], extra: str = "hub") -> Finding:
    """Compare what the project asks for with what is installed; its own extras are followed."""
    wrong = sorted(set(_mismatches([Requirement(line) for line in requirements], extra)))
    if not wrong:
        return Finding("packages", "ok", f"{PROJECT} {metadata.version(PROJECT)} and what it needs")
    return Finding("packages", "problem", "; ".join(wrong) + ".", "Install what is pinned: make setup.")


def cgroups(folder: Path) -> Finding:
    """Whether the kernel's control groups could limit each member as a whole, and not only each process."""
    for kind, groups in (("v2", [folder]), ("v1", [folder / name for name in NEEDED_CONTROLLERS])):
        if _can_be_written(groups) and (kind == "v1" or _controllers(folder) >= set(NEEDED_CONTROLLERS)):
            return Finding("cgroups", "ok", f"Control groups {kind} with memory and pids can be written")
    return Finding(
        "cgroups",
        "warning",
        "No control group with memory and pids can be written: limits hold for each process of a member, "
        "not for all of them together.",
        "Run the hub as root, or by systemd with Delegate=yes.",
    )


def disk(folder: Path) -> Finding:
    usage, counted = shutil.disk_usage(folder), os.statvfs(folder)
    said = f"{usage.free / 2**30:.1f} GB of {usage.total / 2**30:.1f} GB are free at {folder}"
    if counted.f_files and counted.f_favail < LEAST_FREE_FILES:
        said += f", but only {counted.f_favail} more files fit"
        return Finding("disk", "problem", said + ".", "Remove files there, or make the file system anew.")
    if usage.free < LEAST_FREE_BYTES:
        return Finding("disk", "problem", said + ".", "Free space there, or move the state folder.")
    if usage.free < ENOUGH_FREE_BYTES:
        cure = f"Thirty members fill {ENOUGH_FREE_BYTES // 2**30} GB and more; plan for it."
        return Finding("disk", "warning", said + ".", cure)
    return Finding("disk", "ok", said)


def memory(meminfo: str) -> Finding:
    """Read the text of `/proc/meminfo`, whose numbers are in kB."""
    lines = dict(line.split(":", 1) for line in meminfo.splitlines() if ":" in line)
    free = int(lines["MemAvailable"].split()[0]) * 1024
    said = f"{free / 2**30:.1f} GB of memory are available"
    if free < LEAST_MEMORY_BYTES:
        return Finding(
            "memory",
            "warning",
            said + ".",
            "The hub takes 300 MB and each member who works some 200 MB: end other programs, or add memory.",
        )
    return Finding("memory", "ok", said)


def _mismatches(requirements: list[Requirement], extra: str) -> Iterator[str]:
    for requirement in requirements:
        marker = requirement.marker
        if marker and not marker.evaluate({"extra": extra}):
            continue
        if requirement.name == PROJECT:
            for other in requirement.extras:
                yield from _mismatches(requirements, other)
            continue
        try:
            installed = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield f"{requirement.name} is missing"
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            yield f"{requirement.name} {installed} is not {requirement.specifier}"


def _can_be_written(groups: list[Path]) -> bool:
    return all(os.access(group / "cgroup.procs", os.W_OK) for group in groups)


def _controllers(folder: Path) -> set[str]:
    listed = folder / "cgroup.controllers"
    return set(listed.read_text(encoding="ascii").split()) if listed.exists() else set()


def _find_proxy() -> str:
    return f"{Path(proxy_command()[-1]).name} with its own node"


def _try_sandbox() -> str:
    check_sandbox()
    who = "root: a uid for each learner" if os.geteuid() == 0 else "an ordinary user: user namespaces"
    return f"Nothing got out of a sandbox that was started as {who}"


def _nearest_folder(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.is_dir())
