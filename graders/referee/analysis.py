"""What an instructor's notebook says of its tests: names, imports, and what no referee can do."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graders.referee.learner_code import runs_learner_code

PATCHING = frozenset({"patch", "monkeypatch", "MonkeyPatch", "mock_open"})
FIGURE_STATE = frozenset({"gca", "gcf", "get_fignums", "figure", "fignum_exists"})
SOURCE_READERS = frozenset({"getsource", "getsourcelines", "getsourcefile"})
NOTEBOOK_NAMES = frozenset({"In", "Out", "_", "__", "___", "_ih", "_oh", "_i", "get_ipython"})


@dataclass(frozen=True, slots=True, order=True)
class Obstacle:
    """Why a test cannot be judged apart from the learner's code."""

    line: int
    """From 1, in the test."""
    reason: str
    """A clause: "it patches ..."."""


@dataclass(frozen=True, slots=True)
class NotebookNames:
    """What the code cells of an instructor's notebook bind for all that follow."""

    imports: Mapping[str, str]
    """Import statements by the name that they bind."""
    defined: frozenset[str]


def names_of(cells: Iterable[str]) -> NotebookNames:
    """Return what code cells bind. A cell that is no plain Python (magics) binds nothing.

    Args:
        cells: Their texts, in order, solutions included and tests left out.
    """
    imports: dict[str, str] = {}
    defined = set[str]()
    for source in cells:
        for node in statements(source):
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports |= _imported(node)
            else:
                defined |= set(bound_names(node))
    return NotebookNames(
        {name: text for name, text in imports.items() if name not in defined}, frozenset(defined)
    )


def obstacles(test: str, imports: Mapping[str, str] | None = None) -> tuple[Obstacle, ...]:
    """Return why a test cannot be judged by a referee, as far as its text tells; empty for most tests.

    Args:
        test: Its full source.
        imports: Import statements of the instructor's notebook, by the names that they bind.
    """
    try:
        tree = ast.parse(test)
    except SyntaxError as error:
        return (Obstacle(error.lineno or 1, "it has a magic, or is no Python"),)
    own = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    own |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)} | set(_imports_of(tree))
    risks = {Obstacle(line, reason) for line, reason in runs_learner_code(tree, imports or {})}
    return tuple(sorted({*_obstacles(tree, own), *risks}))


def _obstacles(tree: ast.Module, own: set[str]) -> Iterator[Obstacle]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, lineno=line) if name in NOTEBOOK_NAMES - own:
                yield Obstacle(line, f"it uses the notebook's {name}")
            case ast.Call(func=ast.Name(id=("globals" | "locals" | "vars") as name), args=[], lineno=line):
                yield Obstacle(line, f"it looks into the notebook's names with {name}()")
            case ast.Call(func=ast.Name(id="id"), lineno=line) if "id" not in own:
                yield Obstacle(line, "it asks where objects lie in memory with id()")
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), lineno=line) if name in PATCHING:
                yield Obstacle(line, f"it replaces something in the learner's process with {name}()")
            case ast.Attribute(attr=name, value=ast.Name(id=("plt" | "pyplot")), lineno=line) if (
                name in FIGURE_STATE
            ):
                yield Obstacle(line, f"it looks at the current figure with {name}()")
            case ast.Attribute(attr=name, lineno=line) if name in SOURCE_READERS:
                yield Obstacle(line, f"it reads the learner's source with {name}()")
            case ast.Await(lineno=line) | ast.AsyncFor(lineno=line) | ast.AsyncWith(lineno=line):
                yield Obstacle(line, "it awaits something")
            case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store(), lineno=line) if name in _modules(
                own
            ):
                yield Obstacle(line, f"it replaces something in {name}")


def _modules(own: set[str]) -> frozenset[str]:
    return frozenset({"builtins", "sys"}) | (own & {"random", "time", "os"})


def _imports_of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _imported(node)


def statements(source: str) -> Sequence[ast.stmt]:
    """Return the statements of a cell, those of IPython left out; none of one that is no Python."""
    try:
        return ast.parse(source).body
    except SyntaxError:
        # Lines of IPython's are left out, the rest of the cell counts.
        kept = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!", "?"))]
        try:
            return ast.parse("\n".join(kept)).body
        except SyntaxError:
            return ()


def _imported(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    found = {}
    for alias in node.names:
        one = type(node)(**{**{field: getattr(node, field) for field in node._fields}, "names": [alias]})
        if alias.name == "*" and isinstance(node, ast.ImportFrom):
            continue
        found[alias.asname or alias.name.partition(".")[0]] = ast.unparse(one)
    return found


def bound_names(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement binds in the notebook."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return
    if isinstance(node, ast.ExceptHandler | ast.MatchAs) and node.name:
        yield node.name
    for child in ast.iter_child_nodes(node):
        yield from bound_names(child)
