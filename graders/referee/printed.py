"""What is printed goes to a function instead of a terminal."""

from __future__ import annotations

import io
from collections.abc import Callable


class PrintedStream(io.TextIOBase):
    """A standard stream.

    Args:
        write: Takes the name of the stream and the text.
        name: `stdout` or `stderr`.
    """

    def __init__(self, write: Callable[[str, str], object], name: str) -> None:
        self._write = write
        self._name = name

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._write(self._name, text)
        return len(text)
