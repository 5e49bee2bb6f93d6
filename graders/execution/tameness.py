"""Whether the cells of a notebook leave alone what lies outside its names: then facts tell what has changed.

Read from the text, for code that means no harm: code that does gains nothing (see graders.execution.facts).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from graders.execution.libraries import FIGURES, LIBRARIES

HELPERS = frozenset({"course", "spoc"})
"""What tests import to check, and cells to ask the course."""
SETTING = frozenset(
    """
    __bases__ __builtins__ __class__ __dict__ __import__ bit_generator builtins compile delattr eval exec
    field_size_limit get_ipython getcontext import_module modules monkeypatch options patch register
    register_dataframe_accessor register_dialect register_extension_dtype register_index_accessor
    register_option register_series_accessor reload reset_option set_eng_float_format set_option
    set_printoptions set_state setattr setcontext seterr seterrcall setfirstweekday setlocale
    unregister_dialect
    """.split()  # noqa: SIM905 -- words
)
"""Names of what changes a library for all that follows."""
_OF_TABLES = frozenset({"columns", "index", "name", "names", "values", "shape", "T", "dtype", "ordered"})
"""Attributes that cells set on data."""


def is_tame(sources: Iterable[str]) -> bool:
    """Return whether no cell may change a library, or run what its text does not show."""
    try:
        trees = [ast.parse(_without_inline_figures(source)) for source in sources]
    except (SyntaxError, ValueError, RecursionError):
        return False
    return all(_is_tame(node) for tree in trees for node in ast.walk(tree))


def _is_tame(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return all(_may_be_imported(alias.name) for alias in names)
        case ast.ImportFrom(module=str(module), level=0, names=names):
            return _may_be_imported(module) and all(alias.name not in {"*", *SETTING} for alias in names)
        case ast.ImportFrom() | ast.Await() | ast.AsyncFor() | ast.AsyncWith() | ast.AsyncFunctionDef():
            return False
        case ast.Name(id=name):
            return name not in SETTING
        case ast.Attribute(attr=name, ctx=ast.Load()):
            return name not in SETTING
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name not in SETTING
        case ast.Attribute(attr=name):
            return name in _OF_TABLES
    return True


def _may_be_imported(module: str) -> bool:
    top = module.partition(".")[0]
    return top in LIBRARIES | FIGURES | HELPERS and SETTING.isdisjoint(module.split("."))


def _without_inline_figures(source: str) -> str:
    return "\n".join(_lines(source))


def _lines(source: str) -> Iterator[str]:
    for line in source.splitlines():
        yield "" if line.strip() == "%matplotlib inline" else line
