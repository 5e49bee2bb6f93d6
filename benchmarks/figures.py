"""What a benchmark reports, and how it is run: `.venv/bin/python -m benchmarks.NAME [--quick] [--json]`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TextIO

import click


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    `target` reads ">= 25" or "<= 1.5", None where there is none; `peer` is what the stock tool needs for the
    same work, measured in the same run.
    """

    value: float
    unit: str
    target: str | None = None
    peer: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the value meets the target; None where there is none."""
        if self.target is None:
            return None
        relation, limit = self.target.split()
        return self.value >= float(limit) if relation == ">=" else self.value <= float(limit)


Figures = Mapping[str, Figure]


def run(measure: Callable[[bool], Figures]) -> None:
    """Run a benchmark from the command line; `measure` is told whether to be quick."""

    @click.command(help=sys.modules[measure.__module__].__doc__)
    @click.option("--quick", is_flag=True, help="One repetition of each, to see that it works.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
    def command(quick: bool, as_json: bool) -> None:
        with _own_output() as output:
            figures = measure(quick)
            if as_json:
                print(json.dumps({name: asdict(figure) for name, figure in figures.items()}), file=output)
            else:
                for name, figure in figures.items():
                    print(f"{name}: {_line(figure)}", file=output)

    command()


def _line(figure: Figure) -> str:
    parts = [f"{figure.value:.4g} {figure.unit}"]
    if figure.target is not None:
        parts.append(f"target {figure.target}, {'met' if figure.met else 'missed'}")
    if figure.peer is not None:
        parts.append(f"peer {figure.peer:.4g}")
    return "; ".join(parts)


@contextmanager
def _own_output() -> Iterator[TextIO]:
    """Give standard output; whatever else is printed, by child processes too, goes to standard error."""
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w") as output:
        os.dup2(2, 1)
        try:
            yield output
        finally:
            sys.stdout.flush()
            output.flush()
            os.dup2(output.fileno(), 1)
