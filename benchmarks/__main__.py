"""`make bench`: run every benchmark, each in a process of its own, and write docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from pkgutil import iter_modules

import benchmarks
from benchmarks.figures import Figure, Figures

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
PACKAGES = ("jupyterhub", "jupyterlab", "jupyter-server", "ipykernel", "nbgrader", "nbclient", "sqlalchemy")


def names() -> tuple[str, ...]:
    """Return every benchmark: the modules of the package that have a function `measure`."""
    modules = (module.name for module in iter_modules(benchmarks.__path__) if module.name != "__main__")
    return tuple(name for name in modules if hasattr(import_module(f"benchmarks.{name}"), "measure"))


def main() -> None:
    results = {}
    for name in names():
        print(f"benchmarks.{name} ...", file=sys.stderr)
        command = [sys.executable, "-m", f"benchmarks.{name}", "--json"]
        output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
        results[name] = {figure: Figure(**fields) for figure, fields in json.loads(output).items()}
    PAGE.write_text("\n".join(page(results, datetime.now(UTC))) + "\n", encoding="utf-8")
    print(PAGE)


def page(results: Mapping[str, Figures], now: datetime) -> Iterator[str]:
    """Yield the lines of the page in Markdown."""
    yield "# Benchmarks"
    yield ""
    yield "Written by `make bench`; do not edit. A peer is the stock tool on the same work in the same run."
    yield ""
    yield f"- Date: {now:%Y-%m-%d %H:%M} UTC"
    yield f"- Machine: {_processor()}, {os.cpu_count()} CPUs, {_memory_gib():.0f} GiB, {platform.system()}"
    yield f"- Python {platform.python_version()}; " + ", ".join(
        f"{name} {version(name)}" for name in PACKAGES
    )
    for name, figures in results.items():
        yield ""
        yield f"## {name}"
        yield ""
        yield str(import_module(f"benchmarks.{name}").__doc__).strip()
        yield ""
        yield "| figure | value | target | met | peer |"
        yield "|---|---:|---|---|---:|"
        for label, figure in figures.items():
            yield _row(label, figure)


def _row(label: str, figure: Figure) -> str:
    met = {True: "yes", False: "**no**", None: "–"}[figure.met]
    peer = "–" if figure.peer is None else f"{figure.peer:.3g}"
    target = "–" if figure.target is None else f"{figure.target} {figure.unit}"
    return f"| {label.replace('_', ' ')} | {figure.value:.3g} {figure.unit} | {target} | {met} | {peer} |"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


if __name__ == "__main__":
    main()
