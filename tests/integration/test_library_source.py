"""A traceback through a library reads the same whether its files are parsed whole or by functions."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from types import CodeType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.ultratb import VerboseTB
from stack_data.core import Source

from graders.execution.library_source import function_in, read_functions_only

WRONG = {
    "a missing column in a group": "table.groupby('nowhere')",
    "an unknown aggregation": "table.groupby('k').agg('no such')",
    "a missing label": "table.loc['z']",
    "a place beyond the end": "table.iloc[99]",
    "a wrong key of a merge": "table.merge(table, on='nowhere')",
    "a pivot with duplicates": "table.pivot(index='k', columns='k', values='v')",
    "an ambiguous truth": "bool(table['v'] > 1)",
    "another shape": "np.reshape(np.arange(5), (2, 2))",
    "incompatible shapes": "np.concatenate([np.ones((2, 2)), np.ones(3)])",
    "an unreadable file": "pd.read_csv('there is no such file.csv')",
    "an unreadable date": "pd.to_datetime(['not a date'])",
    "another frame": "pd.testing.assert_frame_equal(table, table.iloc[:1])",
    "another number": "np.testing.assert_allclose(np.ones(3), np.zeros(3))",
    "a lambda's error": "table['v'].apply(lambda v: v.nothing)",
    "a failed conversion": "table['k'].astype(int)",
    "a query of nothing": "table.query('nowhere > 1')",
    "an error of the standard library": "__import__('json').loads('{')",
    "a bad pattern": "__import__('re').compile('(')",
}


@pytest.fixture
def patched() -> Iterator[Any]:
    kept = Source.for_frame
    yield read_functions_only
    Source.for_frame = kept  # type: ignore[method-assign]


@pytest.mark.parametrize("what", WRONG)
def test_the_text_is_the_same(what: str, patched: Any) -> None:
    whole = shown(WRONG[what])
    patched()
    assert shown(WRONG[what]) == whole


def shown(source: str) -> list[str]:
    """Return the traceback of what `source` raises, as IPython writes it."""
    for cache in ("__executing_cache", "__source_cache_with_lines"):
        if cache in vars(Source):
            delattr(Source, cache)
    names = {"np": np, "pd": pd, "table": pd.DataFrame({"k": list("aab"), "v": [1, 2, 3]})}
    try:
        eval(compile(source, __file__, "eval"), names)  # noqa: S307 -- of this file
    except Exception as error:
        writer = VerboseTB(theme_name="linux", include_vars=False)
        return writer.structured_traceback(type(error), error, error.__traceback__)
    raise AssertionError(f"{source} raises nothing")


@pytest.mark.parametrize("module", [pd.core.indexes.base, pd.core.reshape.merge, ast])
def test_a_function_is_found_as_it_is_in_its_file(module: Any) -> None:
    lines = linecache.getlines(module.__file__)
    text = "".join(lines)
    whole = _functions(text)
    parts = [
        (code, part)
        for code in _codes(compile(text, module.__file__, "exec"))
        if (part := function_in(code, lines)) is not None
    ]
    assert len(parts) > 20
    for code, part in parts[::20]:
        assert len(part) == len(lines)
        key = code.co_name, code.co_firstlineno
        assert _functions("".join(part))[key] == whole[key]


def _functions(text: str) -> dict[tuple[str, int], str]:
    return {
        (node.name, min([node.lineno, *(each.lineno for each in node.decorator_list)])): ast.dump(
            node, include_attributes=True
        )
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
    }


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)
