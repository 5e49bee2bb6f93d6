"""What code depends on outside a namespace, and what a notebook can change of that."""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Iterator
from typing import Any

REGISTRY = "__warningregistry__"
VERSION = "version"


class Ambient:
    """The working folder, states of random numbers, filters of warnings, and which are not shown again."""

    def __init__(self) -> None:
        self._parts = (os.getcwd(), random.getstate(), _numpy_random_state(), tuple(warnings.filters))
        self._shown = frozenset(_shown_warnings()) if _Watch.has_shown else frozenset()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ambient):
            return NotImplemented
        return self._parts == other._parts and self._shown == other._shown

    __hash__ = None  # type: ignore[assignment]  # as of anything that changes


class _Watch:
    """Whether this process has shown a warning since `watch_warnings`."""

    has_shown = False


def watch_warnings() -> None:
    """Note when a warning is shown from here on."""
    module: Any = warnings
    # Both the warnings of C code and those of Python come by here, whoever collects them then.
    show = module._showwarnmsg  # noqa: SLF001

    def note_and_show(message: Any) -> None:
        _Watch.has_shown = True
        show(message)

    module._showwarnmsg = note_and_show  # noqa: SLF001
    _Watch.has_shown = False


def _shown_warnings() -> Iterator[tuple[object, ...]]:
    """Yield the modules' warnings that Python would not show once more.

    Those of the notebook are not among them: IPython forgets them before each cell.
    """
    version = _filters_version()
    for name, module in list(sys.modules.items()):
        if name == "__main__":
            continue
        registry = getattr(module, "__dict__", {}).get(REGISTRY)
        # One of before the filters changed last is emptied when it is used next.
        if type(registry) is dict and registry.get(VERSION) == version:
            yield from ((name, *_told(key)) for key in registry if key != VERSION)
    yield from (("", *_told(key)) for key in warnings.onceregistry)  # type: ignore[attr-defined]


def _told(key: Any) -> Iterator[object]:
    """Yield what tells a warning from others; its parts are of any class that code has warned with."""
    return (part if type(part) in (str, int) else id(part) for part in key)


def _filters_version() -> object:
    """Return which version of the filters counts: Python tells it only to registries."""
    registry: dict[Any, Any] = {}
    filters = warnings.filters
    # Nothing is shown of it, and with the list back in its place nothing has changed.
    warnings.filters = [("ignore", None, Warning, None, 0)]
    try:
        warnings.warn_explicit("", UserWarning, "", 1, registry=registry)
    finally:
        warnings.filters = filters
    return registry.get(VERSION)


def _numpy_random_state() -> tuple[object, ...]:
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is None:
        return ()
    name, keys, *rest = numpy_random.get_state()
    return (name, keys.tobytes(), *rest)
