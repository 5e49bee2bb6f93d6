"""What a test shows, as a notebook's outputs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from numbers import Integral, Real
from typing import Any

from IPython.lib.pretty import pretty

from graders.referee.handles import is_remote
from graders.referee.printed import PrintedStream


class TooMuchOutput(BaseException):
    """A test shows more than it may."""


class Outputs:
    """The outputs of one test.

    Args:
        max_bytes: What it may show.
        gives_points: Whether its result is to be a number, of points.
    """

    def __init__(self, max_bytes: int, *, gives_points: bool = False) -> None:
        self._left = max_bytes
        self._gives_points = gives_points
        self._taken: list[dict[str, Any]] = []

    def taken(self) -> list[dict[str, Any]]:
        """Return the outputs so far."""
        return self._taken

    def text(self, stream: str, text: str) -> None:
        """Add what was written to a stream."""
        if not text:
            return
        kept = text[: max(0, self._left)]
        self._left -= len(text)
        last = self._taken[-1] if self._taken else {}
        if last.get("name") == stream:
            last["text"] += kept
        elif kept:
            self._taken.append({"output_type": "stream", "name": stream, "text": kept})
        if self._left < 0:
            raise TooMuchOutput("The test shows more than it may.")

    def result(self, *values: Any) -> None:
        """Add the value of the last line, from which nbgrader reads partial credit.

        What a learner's object says of itself is none.
        """
        for value in values:
            if not is_remote(value):
                text = pretty(_plain_number(value) if self._gives_points else value)[:100_000]
                self._taken.append(
                    {
                        "output_type": "execute_result",
                        "data": {"text/plain": text},
                        "metadata": {},
                        "execution_count": None,
                    }
                )

    def error(self, name: str, text: str, lines: list[str], *, first: bool = False) -> None:
        """Add an error; nbgrader believes the first error or result that it meets."""
        output = {
            "output_type": "error",
            "ename": name[:1000],
            "evalue": text[:20_000],
            "traceback": [line[:20_000] for line in lines],
        }
        self._taken.insert(0 if first else len(self._taken), output)

    @contextmanager
    def instead_of_standard_streams(self) -> Iterator[None]:
        """Take what is printed."""
        outer = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = PrintedStream(self.text, "stdout"), PrintedStream(self.text, "stderr")
        try:
            yield
        finally:
            sys.stdout, sys.stderr = outer


def _plain_number(value: Any) -> Any:
    """Return a finite number, of numpy's say, as Python's own, which nbgrader can read; the rest as it is."""
    kind: type = type(value)
    if isinstance(value, Real) and kind not in (bool, int, float) and isfinite(value):
        return int(value) if isinstance(value, Integral) else float(value)
    return value
