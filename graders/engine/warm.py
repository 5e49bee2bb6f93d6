"""What a warm parent imports for an assignment: what the author's own notebooks import and is installed."""

from __future__ import annotations

import ast
import sys
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from importlib.machinery import PathFinder
from pathlib import Path

import nbformat

from graders.engine.kernels import COURSE_KERNEL
from graders.engine.plan import AssignmentPlan
from graders.forkserver.environment import WarmEnvironment

COURSE_EXTENSION = "extensions.kernel.extension"
"""Offers in a cell runner what the course kernel offers; loaded for notebooks that name that kernel."""


def environment_of(*plans: AssignmentPlan) -> WarmEnvironment:
    """Return the environment that suits the notebooks of all these assignments."""
    notebooks = [notebook for plan in plans for notebook in plan.notebooks.values()]
    kernels = {(notebook.source.kernelspec or {}).get("name") for notebook in notebooks}
    return environment_for([notebook.solved for notebook in notebooks], kernels)


def environment_for(notebooks: Iterable[str], kernels: Container[object]) -> WarmEnvironment:
    """Return the environment that suits authors' notebooks.

    Args:
        notebooks: Each as JSON, or empty.
        kernels: The names of their kernelspecs.
    """
    imports = {name for notebook in notebooks for name in _imports(notebook)}
    return WarmEnvironment(
        imports=tuple(sorted(name for name in imports if _is_installed(name))),
        extensions=(COURSE_EXTENSION,) if COURSE_KERNEL in kernels else (),
    )


def joined(one: WarmEnvironment, other: WarmEnvironment) -> WarmEnvironment:
    """Return the environment that has what two have."""
    return replace(
        one,
        imports=tuple(sorted({*one.imports, *other.imports})),
        extensions=tuple(sorted({*one.extensions, *other.extensions})),
    )


def _imports(notebook: str) -> Iterator[str]:
    for cell in nbformat.reads(notebook, as_version=4).cells if notebook else ():
        if cell.cell_type == "code":
            yield from _imports_of_code(cell.source)


def _imports_of_code(source: str) -> Iterator[str]:
    try:
        tree = ast.parse("\n".join(_without_magics(source.splitlines())))
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _without_magics(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        is_magic = line.lstrip().startswith(("%", "!", "?"))
        yield "pass" if is_magic and line == line.lstrip() else line


def _is_installed(name: str) -> bool:
    """Return whether a module is a package of this environment: what lies beside a notebook is not."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names:
        return False
    spec = PathFinder.find_spec(top, [path for path in sys.path if "site-packages" in Path(path).parts])
    return spec is not None and spec.loader is not None
