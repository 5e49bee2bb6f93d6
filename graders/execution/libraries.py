"""What code reaches in libraries, as far as names tell: functions without a state, and what has one."""

from __future__ import annotations

import functools
import types

LIBRARIES = frozenset(
    """
    __future__ abc bisect builtins calendar cmath collections copy csv dataclasses datetime decimal enum
    fractions functools heapq io itertools json math numbers numpy operator pandas pathlib random re
    statistics string tempfile textwrap time typing unicodedata uuid warnings zoneinfo
    """.split()  # noqa: SIM905 -- words
)
"""Libraries whose functions give the same for the same: what else decides is in `Ambient`, or is never set in
a notebook whose tests share a state (see graders.execution.tameness)."""
FIGURES = frozenset({"matplotlib", "seaborn"})
"""Their functions have a state: the current figure."""
HIDDEN_STATE = frozenset(
    """
    __builtins__ __dict__ __globals__ __import__ Generator boxplot cache_clear cache_info compile default_rng
    delattr eval exec get_ipython globals hist import_module input locals plot setattr style vars
    """.split()  # noqa: SIM905 -- words
)
"""Names in code that reaches what its other names do not tell."""


def is_of_library(module: object) -> bool:
    """Return whether a module belongs to one of the libraries."""
    return isinstance(module, str) and module.lstrip("_").partition(".")[0] in LIBRARIES


@functools.cache
def names_in(code: types.CodeType) -> frozenset[str]:
    """Return the names of variables, attributes and modules that code uses, functions within it included."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= names_in(constant)
    return frozenset(names)


def reaches_hidden_state(names: frozenset[str]) -> bool:
    """Return whether code with these names may give another result with all that they name unchanged."""
    return not names.isdisjoint(HIDDEN_STATE) or any(name.partition(".")[0] in FIGURES for name in names)
