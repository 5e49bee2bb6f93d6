"""What a warm parent imports for an assignment: what the author's own notebooks import and is installed."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders.engine.kernels import COURSE_KERNEL
from graders.forkserver.environment import WarmEnvironment

if TYPE_CHECKING:
    from graders.engine.plan import AssignmentPlan

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


def environment_of_files(course_dir: Path, assignment: str) -> WarmEnvironment:
    """Return what `environment_of` will, most likely, for an assignment in the usual place of a course."""
    texts = [
        path.read_text(encoding="utf-8") for path in (course_dir / "source" / assignment).glob("*.ipynb")
    ]
    kernels = {json.loads(text).get("metadata", {}).get("kernelspec", {}).get("name") for text in texts}
    return environment_for(texts, kernels)


def joined(one: WarmEnvironment, other: WarmEnvironment) -> WarmEnvironment:
    """Return the environment that has what two have."""
    return replace(
        one,
        imports=tuple(sorted({*one.imports, *other.imports})),
        extensions=tuple(sorted({*one.extensions, *other.extensions})),
    )


def _imports(notebook: str) -> Iterator[str]:
    for source in _code(json.loads(notebook)) if notebook else ():
        yield from _imports_of_code(source)


def _code(notebook: dict[str, Any]) -> Iterator[str]:
    """Yield the code of a notebook's cells; a notebook of before version 4 has them in worksheets."""
    parts = [notebook, *notebook.get("worksheets", ())]
    for cell in (cell for part in parts for cell in part.get("cells", ())):
        if cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input", ""))
            yield source if isinstance(source, str) else "".join(source)


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
