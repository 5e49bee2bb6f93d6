"""What IPython and ipykernel find out several times for each cell, found out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import ipykernel.ipkernel
from IPython.core import inputtransformer2

_CELLS = 4
"""Kept: it is the same cell that is looked at again."""


def spare_repeated_work() -> None:
    """Have answers that depend on nothing but their question be kept for the next time.

    Whether a cell is asynchronous is not among them: whenever that is asked, Python warns of its faults.
    """
    kernel: Any = ipykernel.ipkernel
    kernel._accepts_parameters = _kept_parameters(kernel._accepts_parameters)  # noqa: SLF001
    transformer: Any = inputtransformer2
    transformer.make_tokens_by_line = _kept_tokens(transformer.make_tokens_by_line)


def _kept_parameters(
    accepts: Callable[[Any, list[str]], dict[str, bool]],
) -> Callable[[Any, list[str]], dict[str, bool]]:
    @lru_cache(_CELLS)
    def of_function(function: Any, names: tuple[str, ...]) -> dict[str, bool]:
        return accepts(function, list(names))

    def of_method(method: Any, names: list[str]) -> dict[str, bool]:
        function = getattr(method, "__func__", None)
        return accepts(method, names) if function is None else dict(of_function(function, tuple(names)))

    return of_method


def _kept_tokens(
    make_tokens: Callable[[list[str]], list[list[Any]]],
) -> Callable[[list[str]], list[list[Any]]]:
    @lru_cache(_CELLS)
    def of_text(lines: tuple[str, ...]) -> list[list[Any]]:
        return make_tokens(list(lines))

    def of_lines(lines: list[str]) -> list[list[Any]]:
        if not all(line.endswith("\n") for line in lines[:-1]):
            # It warns of these.
            return make_tokens(lines)
        return [list(tokens) for tokens in of_text(tuple(lines))]

    return of_lines
