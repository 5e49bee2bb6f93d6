"""Which names a test may look up in the learner's state: those that it does not bind itself before."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

LOOKS_ANYWHERE = frozenset({"globals", "locals", "vars", "dir", "eval", "exec", "compile", "__import__"})
_Definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Comprehensions = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Untold(Exception):
    """The text of a test does not tell which names it looks up."""


def names_needed(test: str) -> frozenset[str] | None:
    """Return the names that a test may look up outside itself, some too many; None if it does not tell."""
    try:
        reading = _Reading()
        reading.statements(ast.parse(test).body, set())
    except (SyntaxError, Untold, RecursionError):
        return None
    return None if reading.needed & LOOKS_ANYWHERE else frozenset(reading.needed)


def names_left(test: str) -> frozenset[str]:
    """Return the names under which later tests may find something of this one, some too many; no modules."""
    return frozenset(_stored(ast.parse(test)))


class _Reading:
    """Goes through statements in the order in which they run, with the names that are bound for certain."""

    def __init__(self) -> None:
        self.needed: set[str] = set()

    def statements(self, body: Iterable[ast.stmt], bound: set[str]) -> None:
        """Note what statements need; add to `bound` what they bind if they run to their end."""
        for node in body:
            self._statement(node, bound)

    def _statement(self, node: ast.stmt, bound: set[str]) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                self._expression(value, bound)
                for target in targets:
                    self._bind(target, bound)
            case ast.AugAssign(target=target, value=value):
                self._expression(value, bound)
                self.needed |= _names(target) - bound
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                if any(alias.name == "*" for alias in aliases):
                    raise Untold
                bound |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self._expression(node, bound | {name})
                bound.add(name)
            case ast.If(test=test, body=body, orelse=orelse):
                self._expression(test, bound)
                one, other = set(bound), set(bound)
                self.statements(body, one)
                self.statements(orelse, other)
                bound |= one & other
            case ast.For(target=target, iter=values, body=body, orelse=orelse):
                self._expression(values, bound)
                inside = set(bound)
                self._bind(target, inside)
                self.statements(body, inside)
                self.statements(orelse, set(bound))
            case ast.While(test=test, body=body, orelse=orelse):
                self._expression(test, bound)
                self.statements(body, set(bound))
                self.statements(orelse, set(bound))
            case ast.With(items=items, body=body):
                for item in items:
                    self._expression(item.context_expr, bound)
                    if item.optional_vars is not None:
                        self._bind(item.optional_vars, bound)
                # What leaves it may leave it in the middle.
                self.statements(body, set(bound))
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                inside = set(bound)
                self.statements(body, inside)
                self.statements(orelse, inside)
                for handler in handlers:
                    self._expression(handler.type, bound)
                    self.statements(handler.body, bound | ({handler.name} if handler.name else set()))
                self.statements(final, set(bound))
            case ast.Assert() | ast.Expr() | ast.Raise() | ast.Pass() | ast.Break() | ast.Continue():
                self._expression(node, bound)
            case _:
                raise Untold

    def _bind(self, target: ast.expr, bound: set[str]) -> None:
        match target:
            case ast.Name(id=name):
                bound.add(name)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._bind(part, bound)
            case ast.Starred(value=value):
                self._bind(value, bound)
            case _:
                self._expression(target, bound)

    def _expression(self, node: ast.AST | None, bound: set[str]) -> None:
        if node is None:
            return
        if isinstance(node, _Comprehensions):
            own = set().union(*(_names(each.target) for each in node.generators))
            # The first is looked up outside; it is rare that a name stands there and is bound within.
            self._expression(node.generators[0].iter, bound)
            self._each(node, bound | own)
        elif isinstance(node, ast.Lambda):
            self._expression(node.args, bound)
            self._expression(node.body, bound | {each.arg for each in _arguments(node.args)})
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for outside in (*node.decorator_list, node.args, node.returns):
                self._expression(outside, bound)
            own = bound | {each.arg for each in _arguments(node.args)} | set(_own_names(node.body))
            for inside in node.body:
                self._expression(inside, own)
        elif isinstance(node, ast.Name):
            self.needed |= {node.id} - bound
        elif isinstance(node, ast.NamedExpr | ast.Await | ast.Global | ast.Nonlocal | ast.Delete | ast.Match):
            raise Untold
        else:
            self._each(node, bound)

    def _each(self, node: ast.AST, bound: set[str]) -> None:
        for child in ast.iter_child_nodes(node):
            self._expression(child, bound)


def _arguments(arguments: ast.arguments) -> list[ast.arg]:
    rest = [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *rest]


def _names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _stored(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            yield each.id
        elif isinstance(each, _Definitions):
            yield each.name


def _own_names(body: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that a function's body binds, without what is within further functions."""
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                continue
            case ast.Name(id=name, ctx=ast.Store()) | ast.ExceptHandler(name=str(name)):
                yield name
                yield from _own_names(ast.iter_child_nodes(node))
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]
            case _:
                yield from _own_names(ast.iter_child_nodes(node))
