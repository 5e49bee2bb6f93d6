"""An author's word that no test of a notebook may run where it can be forged: `metadata.spoc.referee`.

It stands in the author's own notebook, of any nbgrader course; what a submission says counts for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from nbformat import NotebookNode

STRICT = "strict"


def is_strict(source: NotebookNode) -> bool:
    """Return whether the author's notebook asks for it."""
    said = source.metadata.get("spoc", {})
    return isinstance(said, Mapping) and said.get("referee") == STRICT


def make_strict(source: NotebookNode) -> None:
    """Let the author's notebook ask for it."""
    source.metadata.setdefault("spoc", NotebookNode())["referee"] = STRICT
