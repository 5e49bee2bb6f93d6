"""Waiting for a condition, with a bound, instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_SECONDS = 0.05


def wait_until(condition: Callable[[], object], seconds: float = 90) -> None:
    """Return once `condition()` is true.

    Raises:
        TimeoutError: It was not true within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not true within {seconds} s")
        time.sleep(POLL_SECONDS)
