"""What a fork server has ready for its children, and whether that is still what is installed."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

EXTENSIONS_VARIABLE = "SPOC_IPYTHON_EXTENSIONS"
"""In the fork server's environment: the modules of `WarmEnvironment.extensions`, with commas between."""

Fingerprint = frozenset[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class WarmEnvironment:
    """What is imported before the fork.

    A module that cannot be imported is left out: the notebook that wants it will say so.
    """

    imports: tuple[str, ...] = ()
    """Modules that notebooks are likely to import."""
    extensions: tuple[str, ...] = ()
    """IPython extensions that a cell runner loads, by module name."""
    paths: tuple[Path, ...] = ()
    """Folders with modules of the course's own: on `sys.path`, and inside nothing else of the course is."""
    python: Path = Path(sys.executable)
    """The interpreter. Confined, it is this one."""

    def fingerprint(self) -> Fingerprint:
        """Return what changes when a package is installed or removed, or a module of the course edited."""
        return frozenset(_marks(self))


def _marks(environment: WarmEnvironment) -> Iterator[tuple[str, int, int]]:
    # Installing, upgrading or removing renames a `.dist-info` folder in one of these.
    if environment.python == Path(sys.executable):
        packages = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")]
    else:
        packages = list(environment.python.parent.parent.glob("lib/python*/site-packages"))
    for folder in packages:
        yield _mark(folder)
    for folder in environment.paths:
        for file in folder.rglob("*.py"):
            yield _mark(file)


def _mark(path: Path) -> tuple[str, int, int]:
    status = os.stat(path)
    return str(path), status.st_mtime_ns, status.st_size
