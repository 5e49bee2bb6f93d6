"""What code depends on outside a namespace, and what a notebook can change of that."""

from __future__ import annotations

import os
import random
import sys
import warnings
from typing import Any


class Ambient:
    """The working folder, the states of random numbers, filters of warnings.

    Two are never equal when a warning has been shown: where Python keeps that it shall be shown once, it also
    keeps a version of that which nobody can read.
    """

    def __init__(self) -> None:
        self._parts = (os.getcwd(), random.getstate(), _numpy_random_state(), tuple(warnings.filters))
        self._warned = _ShownWarnings.count

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ambient):
            return NotImplemented
        return self._parts == other._parts and self._warned == other._warned == 0

    __hash__ = None  # type: ignore[assignment]  # as of anything that changes


class _ShownWarnings:
    """How many warnings this process has shown since `watch_warnings`."""

    count = 0


def watch_warnings() -> None:
    """Count the warnings that are shown from here on."""
    module: Any = warnings
    # Both the warnings of C code and those of Python come by here, whoever collects them then.
    show = module._showwarnmsg  # noqa: SLF001

    def count_and_show(message: Any) -> None:
        _ShownWarnings.count += 1
        show(message)

    module._showwarnmsg = count_and_show  # noqa: SLF001
    _ShownWarnings.count = 0


def _numpy_random_state() -> tuple[object, ...]:
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is None:
        return ()
    name, keys, *rest = numpy_random.get_state()
    return (name, keys.tobytes(), *rest)
