"""A submitted notebook made fit to be graded: `repair`.

For a notebook as it was released, or with its answers filled in, the result is what nbgrader's own sanitising
steps leave (ClearOutput, DeduplicateIds, OverwriteKernelspec, OverwriteCells), and nothing is reported.
"""

from __future__ import annotations

from dataclasses import dataclass

from nbformat import NotebookNode

from graders.repair.answers import return_answers
from graders.repair.copies import join_torn, settle_copies
from graders.repair.document import read_document
from graders.repair.draft import Draft
from graders.repair.matching import match
from graders.repair.merges import divide_merged
from graders.repair.order import note_missing_answers, put_in_order
from graders.repair.rebuild import rebuild
from graders.repair.report import Repair
from graders.repair.source import SourceNotebook


@dataclass(frozen=True, slots=True)
class Repaired:
    """The notebook to run, with all that nbgrader needs to know about its cells, and what was repaired."""

    notebook: NotebookNode
    repairs: tuple[Repair, ...]


def repair(submitted: bytes, source: SourceNotebook, name: str = "notebook.ipynb") -> Repaired:
    """Return a submitted notebook put right by its source.

    Args:
        submitted: The file's content; hostile.
        source: The assignment's notebook, see `graders.repair.source`.
        name: The file's name, for messages.

    Raises:
        Unreadable: No notebook can be made of the file.
    """
    document = read_document(submitted, name)
    draft = Draft(source, list(document.pieces), list(document.repairs))
    match(draft)
    divide_merged(draft)
    settle_copies(draft)
    join_torn(draft)
    put_in_order(draft)
    if return_answers(draft):
        put_in_order(draft)
    note_missing_answers(draft)
    notebook = rebuild(draft, document)
    return Repaired(notebook, tuple(draft.repairs))
