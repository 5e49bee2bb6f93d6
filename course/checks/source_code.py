"""How source code is written: line length, names, what it uses and what it must not use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from course.checks.description import described
from course.checks.expectation import Expectation, at
from course.checks.kinds import kind_of
from course.checks.wording import say

_MAX_SOURCE_LENGTH = 200_000
_SNAKE_CASE = re.compile(r"_*[a-z0-9]+(_[a-z0-9]+)*_*|_+|[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_CONSTRUCTS: dict[str, tuple[type[ast.AST], ...]] = {
    "class": (ast.ClassDef,),
    "comprehension": (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    "for": (ast.For, ast.AsyncFor),
    "global": (ast.Global, ast.Nonlocal),
    "if": (ast.If, ast.IfExp),
    "import": (ast.Import, ast.ImportFrom),
    "lambda": (ast.Lambda,),
    "return": (ast.Return,),
    "try": (ast.Try,),
    "while": (ast.While,),
    "with": (ast.With, ast.AsyncWith),
}


@dataclass(frozen=True, slots=True)
class Style(Expectation):
    """Source code that keeps the rules which are given."""

    max_line: int | None
    names: bool
    docstrings: bool
    forbid: tuple[str, ...]
    require: tuple[str, ...]

    def differences(self, value: Any, place: str) -> Iterator[str]:
        if kind_of(value) != "text":
            yield at(place, say("expected source code, got {value}", value=described(value)))
            return
        source = str(value)
        tree = _tree(source)
        if tree is None:
            yield at(place, say("this is not Python that can be read"))
            return
        yield from self._lines(source)
        nodes = list(ast.walk(tree))
        if self.names:
            yield from _names(nodes)
        if self.docstrings:
            for node in nodes:
                if isinstance(node, ast.FunctionDef) and not ast.get_docstring(node):
                    yield say("the function {name} has no docstring", name=described(node.name))
        yield from self._uses(nodes)

    def _lines(self, source: str) -> Iterator[str]:
        for number, line in enumerate(source.splitlines(), 1):
            if self.max_line is not None and len(line) > self.max_line:
                yield say(
                    "line {number} has {length} characters, {most} are allowed",
                    number=number,
                    length=len(line),
                    most=self.max_line,
                )

    def _uses(self, nodes: Sequence[ast.AST]) -> Iterator[str]:
        for name in self.forbid:
            lines = [node.lineno for node in nodes if _is_use(node, name)]  # type: ignore[attr-defined]
            if lines:
                yield say(
                    "line {number} uses {name}, which is not allowed here", number=min(lines), name=name
                )
        for name in self.require:
            if not any(_is_use(node, name) for node in nodes):
                yield say("{name} is not used", name=name)


def style(
    *,
    max_line: int | None = None,
    names: bool = False,
    docstrings: bool = False,
    forbid: Sequence[str] = (),
    require: Sequence[str] = (),
) -> Expectation:
    """Expect source code that keeps the rules which are given.

    Args:
        max_line: The longest line, in characters.
        names: Whether functions and variables are `in_snake_case` and classes `InCapitals`.
        docstrings: Whether each function has one.
        forbid: What must not be used: a construct (`for`, `while`, `if`, `try`, `lambda`, `comprehension`,
            `import`, `class`, `global`, `return`, `with`), or the name of a function, method or module
            (`eval`, `iterrows`).
        require: What must be used, named in the same way.
    """
    return Style(max_line, names, docstrings, tuple(forbid), tuple(require))


def _tree(source: str) -> ast.Module | None:
    if len(source) > _MAX_SOURCE_LENGTH:
        return None
    # IPython's own lines are no Python.
    plain = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.split("\n"))
    try:
        return ast.parse(plain)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _names(nodes: Sequence[ast.AST]) -> Iterator[str]:
    seen: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            if not re.fullmatch(r"_*[A-Z][A-Za-z0-9]*", node.name):
                yield say("the class {name} should be written InCapitals", name=described(node.name))
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        else:
            continue
        if name not in seen and not _SNAKE_CASE.fullmatch(name):
            seen.add(name)
            yield say("{name} should be written in_snake_case", name=described(name))


def _is_use(node: ast.AST, name: str) -> bool:
    if name in _CONSTRUCTS:
        return isinstance(node, _CONSTRUCTS[name])
    if isinstance(node, ast.Name):
        return node.id == name
    if isinstance(node, ast.Import):
        return any(each.name.partition(".")[0] == name for each in node.names)
    if isinstance(node, ast.ImportFrom):
        return name in ((node.module or "").partition(".")[0], *(each.name for each in node.names))
    return isinstance(node, ast.Attribute) and node.attr == name
