"""What can be known of a cell's Python without running it; other languages are not understood."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache

MAX_CHARACTERS = 64_000
"""Longer cells are not looked into: within this, CPython's parser takes milliseconds and is safe."""

_CELL_MAGIC = re.compile(r"\A\s*%%(time|capture|prun|timeit|python3?)\b[^\n]*\n")
_LINE_MAGIC = re.compile(r"^([ \t]*)(?:[%!][^\n]*|[\w.]+\?{1,2}[ \t]*)$", re.MULTILINE)
_ASSIGNED_MAGIC = re.compile(r"=[ \t]*[%!][^\n]*$", re.MULTILINE)


@lru_cache(maxsize=1024)
def parsed(text: str) -> ast.Module | None:
    """Return the syntax tree of a cell, IPython's magics left out; None if it is no Python."""
    if len(text) > MAX_CHARACTERS:
        return None
    tree = _tree(text)
    if tree is None and ("%" in text or "!" in text or "?" in text):
        plain = _CELL_MAGIC.sub("\n", text)
        plain = _LINE_MAGIC.sub(r"\1pass", plain)
        tree = _tree(_ASSIGNED_MAGIC.sub("= None", plain))
    return tree


def is_python(text: str) -> bool:
    """Return whether a cell is complete by itself."""
    return parsed(text) is not None


@lru_cache(maxsize=1024)
def defined(text: str) -> frozenset[str]:
    """Return the names that a cell gives a value at its top level."""
    tree = parsed(text)
    return frozenset(name for node in tree.body for name in _bound(node)) if tree else frozenset()


@lru_cache(maxsize=1024)
def used(text: str) -> frozenset[str]:
    """Return the names that a cell reads anywhere."""
    tree = parsed(text)
    if tree is None:
        return frozenset()
    loads = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return frozenset(node.id for node in loads if isinstance(node.ctx, ast.Load))


@lru_cache(maxsize=1024)
def stubs(text: str) -> frozenset[str]:
    """Return the functions and classes that a cell defines; its other names if there are none."""
    tree = parsed(text)
    if tree is None:
        return frozenset()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds)) or frozenset(
        name
        for node in tree.body
        if not isinstance(node, ast.Import | ast.ImportFrom)
        for name in _bound(node)
    )


def cut(text: str, names: frozenset[str]) -> tuple[str, str] | None:
    """Take the statements that define `names` out of a cell.

    Returns:
        What is left and what was taken, each with the comments above its statements; None if it is no Python.
    """
    tree = parsed(text)
    if tree is None or _tree(text) is None:
        return None
    lines = text.split("\n")  # as the parser counts them
    taken: set[int] = set()
    end_before = 0
    for node in tree.body:
        end = node.end_lineno or node.lineno
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
        if names & set(_bound(node)):
            while first - 1 > end_before and lines[first - 2].lstrip().startswith("#"):
                first -= 1
            taken.update(range(max(first, end_before + 1), end + 1))
        end_before = end
    rest = [line for number, line in enumerate(lines, start=1) if number not in taken]
    out = [line for number, line in enumerate(lines, start=1) if number in taken]
    return "\n".join(rest).strip("\n"), "\n".join(out)


def _tree(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is the learner's style
        try:
            return ast.parse(text)
        # MemoryError is how CPython's parser says that something nests too deep for it.
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _bound(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Import() | ast.ImportFrom():
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        case ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Expr():
            for each in ast.walk(node):
                if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                    yield each.id
        case ast.If() | ast.For() | ast.While() | ast.With() | ast.Try():
            parts = ("body", "orelse", "finalbody")
            inner = [each for part in parts for each in getattr(node, part, ())]
            inner += [each for handler in getattr(node, "handlers", ()) for each in handler.body]
            for statement in inner:
                yield from _bound(statement)
