"""Which notebooks run in forked processes, and which in a kernel of their own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

COURSE_KERNEL = "spoc"
_OUR_PYTHON = frozenset({"python", "python3", f"python3.{sys.version_info.minor}"})


def kernel_of_its_own(kernelspec: Mapping[str, Any] | None) -> str:
    """Return the name of the kernel that the author's notebook needs; empty if the engine's own Python does.

    Args:
        kernelspec: Of the author's notebook.
    """
    name = str((kernelspec or {}).get("name", ""))
    if not name or name == COURSE_KERNEL:
        return ""
    try:
        installed = KernelSpecManager().get_kernel_spec(name)
    except (NoSuchKernel, ValueError):
        # A notebook in Python from another machine runs in the Python that is here.
        return "" if (kernelspec or {}).get("language", "python") == "python" else name
    return "" if installed.language == "python" and _is_our_python(installed.argv[0]) else name


def _is_our_python(program: str) -> bool:
    if not os.path.isabs(program):
        return program in _OUR_PYTHON or shutil.which(program) == sys.executable
    # Every environment of a Python shares its program; what tells them apart is where it stands.
    return os.path.realpath(os.path.dirname(program)) == os.path.realpath(os.path.dirname(sys.executable))
