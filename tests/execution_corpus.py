"""Cells that show all that a notebook's cell can show, to be run one after another in one notebook."""

from __future__ import annotations

import re
from pathlib import Path


def _cells() -> dict[str, str]:
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    _, *parts = re.split(r"^---- (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], (source.removesuffix("\n") for source in parts[1::2]), strict=True))


CELLS = _cells()
"""Source by what it is for. Those that come later use names of those before."""
