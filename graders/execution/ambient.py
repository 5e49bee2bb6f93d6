"""What code depends on outside a namespace, and what a notebook can change of that."""

from __future__ import annotations

import builtins
import os
import random
import sys
import types
import warnings
from collections.abc import Iterator, Mapping
from typing import Any


class Ambient:
    """The working folder, the states of random numbers, filters of warnings, Python's own names.

    Two are never equal when a warning has been shown that is shown once: where Python keeps that, it also
    keeps a version of it that nobody can read.
    """

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._parts = (
            os.getcwd(),
            random.getstate(),
            _numpy_random_state(),
            tuple(warnings.filters),
            tuple(map(id, vars(builtins).values())),
        )
        self._warned = tuple(_warned(namespace))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ambient):
            return NotImplemented
        return self._parts == other._parts and self._warned == other._warned == ()

    __hash__ = None  # type: ignore[assignment]  # as of anything that changes


def _numpy_random_state() -> tuple[object, ...]:
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is None:
        return ()
    name, keys, *rest = numpy_random.get_state()
    return (name, keys.tobytes(), *rest)


def _warned(namespace: Mapping[str, Any]) -> Iterator[str]:
    for name, module in list(sys.modules.items()):
        if type(module) is types.ModuleType:
            registry = module.__dict__.get("__warningregistry__")
            if registry and registry.keys() - {"version"}:
                yield name
    if namespace.get("__warningregistry__", {}).keys() - {"version"}:
        yield ""
