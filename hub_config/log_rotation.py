"""A log that stays within bounds while processes that inherited it write whatever they like."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import IO

LARGEST_BYTES = 20 << 20
KEPT = 4
LOOK_SECONDS = 1.0


@contextmanager
def bounded_log(
    path: Path,
    *,
    largest_bytes: int = LARGEST_BYTES,
    kept: int = KEPT,
    look_seconds: float = LOOK_SECONDS,
) -> Iterator[IO[bytes]]:
    """Open the log at `path` to append to; while the block runs, keep it and `kept` older ones short.

    What is in a log longer than `largest_bytes` moves to `<path>.1`, what was there to `<path>.2`, up to
    `kept`. It is looked at every `look_seconds`: a line written just then may be lost, and the beginning of
    a flood.
    """
    ended = threading.Event()
    with path.open("a+b") as log:

        def watch() -> None:
            while True:
                _shorten(log.fileno(), path, largest_bytes, kept)
                if ended.wait(look_seconds):
                    return

        watcher = threading.Thread(target=watch, name=f"rotation of {path.name}", daemon=True)
        watcher.start()
        try:
            yield log
        finally:
            ended.set()
            watcher.join()


def _shorten(descriptor: int, path: Path, largest_bytes: int, kept: int) -> None:
    size = os.fstat(descriptor).st_size
    if size <= largest_bytes:
        return
    newest = os.pread(descriptor, largest_bytes, size - largest_bytes)
    # Writers hold this very file, so it cannot be renamed; they append wherever its end is.
    os.ftruncate(descriptor, 0)
    older = [path.with_name(f"{path.name}.{number}") for number in range(1, kept + 1)]
    # On a full disk the log must go on; there is nowhere to tell of it.
    with suppress(OSError):
        for source, target in reversed(list(pairwise(older))):
            if source.exists():
                source.replace(target)
        older[0].write_bytes(newest)
