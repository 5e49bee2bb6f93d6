"""Which tests use a file of which a learner's own version counts, as `Autograde.exclude_overwriting` says.

A referee has the author's version only, and may not run the learner's.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePath

import nbformat

from graders.engine.plan import PlannedNotebook
from graders.referee.calibration import instructor_side

_IMPORTING = frozenset({"import_module", "__import__"})


def tests_of_own_files(
    notebook: PlannedNotebook, files: Mapping[str, bytes], left_alone: Collection[str]
) -> dict[str, str]:
    """Return by grade id the file of a learner's own that a test imports or names.

    A test also uses what the author's notebook imports for it, and what the author's modules import in turn.

    Args:
        notebook: With the tests.
        files: By relative path, what the author gave beside it.
        left_alone: Paths of those that a learner's own version replaces.
    """
    if not left_alone:
        return {}
    modules = {
        _module(path): frozenset(_used(content, path))
        for path, content in files.items()
        if path.endswith(".py")
    }
    own = {_named(path): path for path in left_alone}
    own |= {_module(path): path for path in left_alone if path.endswith(".py")}
    imports = _imports(notebook)
    found = {}
    for name, test in notebook.tests.items():
        used = set(_used(test.full)) | {
            each for known in _names(test.full) & imports.keys() for each in _used(imports[known])
        }
        if file := _reached(used, modules, own):
            found[name] = file
    return found


def _reached(used: set[str], modules: Mapping[str, frozenset[str]], own: Mapping[str, str]) -> str:
    """Return the first file of a learner's own on the way from what is used; empty if there is none."""
    waiting, seen = sorted(used), set[str]()
    while waiting:
        each = waiting.pop(0)
        if each in own:
            return own[each]
        if each not in seen:
            seen.add(each)
            waiting += sorted(modules.get(each, frozenset()))
    return ""


def _imports(notebook: PlannedNotebook) -> Mapping[str, str]:
    """Return the import statements of the author's notebook by the names that they bind."""
    if not notebook.solved:
        return {}
    return instructor_side(nbformat.reads(notebook.solved, as_version=4), notebook.tests, b"").imports


def _module(path: str) -> str:
    parts = PurePath(path).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _named(path: str) -> str:
    """Return a path as no module is called."""
    return f"./{os.path.normpath(path)}"


def _nodes(source: str | bytes) -> Iterator[ast.AST]:
    try:
        return ast.walk(ast.parse(source))
    except (SyntaxError, ValueError):
        # A test with a magic runs beside the learner's code in any case.
        return iter(())


def _names(source: str) -> set[str]:
    return {node.id for node in _nodes(source) if isinstance(node, ast.Name)}


def _used(source: str | bytes, path: str = "") -> Iterator[str]:
    """Yield the modules that Python code may import, with their packages, and its texts as paths.

    Args:
        source: The code.
        path: Of its file, by which relative imports go.
    """
    for node in _nodes(source):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield from _with_packages(alias.name)
            case ast.ImportFrom(module=module, names=names, level=level):
                package = PurePath(path).parts[:-level] if level else ()
                start = ".".join([*package, *([module] if module else [])])
                for alias in names:
                    yield from _with_packages(f"{start}.{alias.name}".lstrip("."))
            case ast.Call(
                func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(module)), *_]
            ) if name in _IMPORTING:
                yield from _with_packages(module)
            case ast.Constant(value=str(text)):
                yield _named(text)


def _with_packages(module: str) -> Iterator[str]:
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        yield ".".join(parts[:length])
