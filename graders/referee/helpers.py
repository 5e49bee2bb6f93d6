"""Functions of the author's that tests call: their own, where a learner's notebook has changed them."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Iterator, Mapping

from graders.referee.analysis import bound_names, statements

_OF_THE_PLACE = frozenset(
    {"globals", "locals", "vars", "dir", "eval", "exec", "compile", "input", "__import__", "super"}
)
"""What gives something else in another process."""


def helpers_of(authors: Iterable[str], others: Iterable[str], imports: Collection[str]) -> dict[str, str]:
    """Return the functions that tests may call without asking the learner's process, by name.

    Only cells of the author's bind them, once, and they use no more than Python's own, what the notebook
    imports, and each other.

    Args:
        authors: Cells that no learner is to change.
        others: The cells of answers, with solutions.
        imports: The names that the notebook imports.
    """
    found: dict[str, ast.FunctionDef] = {}
    bound: list[str] = [
        name for source in others for node in statements(source) for name in bound_names(node)
    ]
    for source in authors:
        for node in statements(source):
            bound += bound_names(node)
            if isinstance(node, ast.FunctionDef):
                found[node.name] = node
    found = {name: node for name, node in found.items() if bound.count(name) == 1}
    elsewhere = set(bound) - set(imports)
    uses = {name: set(_used(node)) for name, node in found.items()}
    while unfit := [name for name, used in uses.items() if not _is_known(used, uses, imports, elsewhere)]:
        for name in unfit:
            del uses[name]
    return {name: ast.unparse(found[name]) for name in uses}


def names_looked_up(cells: Iterable[str]) -> frozenset[str]:
    """Return the names that functions of a notebook's cells look up in it when they are called."""
    return frozenset(
        name
        for source in cells
        for statement in statements(source)
        for node in ast.walk(statement)
        if isinstance(node, ast.FunctionDef)
        for name in _used(node)
    )


def _is_known(
    used: set[str], helpers: Mapping[str, object], imports: Collection[str], bound: Collection[str]
) -> bool:
    return all(
        name in helpers
        or (
            name not in bound and (name in imports or (hasattr(builtins, name) and name not in _OF_THE_PLACE))
        )
        for name in used
    )


def _used(function: ast.FunctionDef) -> Iterator[str]:
    """Yield the names that a function takes from its notebook; of what it changes there, one that is none."""
    own = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    own |= {name for statement in function.body for name in bound_names(statement)}
    for node in ast.walk(function):
        if isinstance(node, ast.Global | ast.Await | ast.AsyncFunctionDef | ast.Import | ast.ImportFrom):
            yield ""
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
    yield from (
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in own
    )
