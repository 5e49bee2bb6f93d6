"""Seeds that a test sets before it calls code of another process: they are set there too."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from graders.referee.asking import Asks


@contextmanager
def shared_seeds(asks: Asks) -> Iterator[None]:
    """Set each seed of `random` and `numpy.random` on both sides."""
    seeded = {"random": random}
    if "numpy" in sys.modules:
        seeded["numpy"] = sys.modules["numpy"].random
    originals = {name: library.seed for name, library in seeded.items()}
    for name, library in seeded.items():
        vars(library)["seed"] = _both(asks, name, originals[name])
    try:
        yield
    finally:
        for name, library in seeded.items():
            vars(library)["seed"] = originals[name]


def _both(asks: Asks, library: str, own: Any) -> Any:
    def seed(*args: Any) -> None:
        own(*args)
        asks.ask("seed", library, args)

    return seed
