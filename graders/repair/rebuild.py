"""The repaired notebook: names, points, types, locks and locked texts are the source's, outputs are gone."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import nbformat
from nbformat import NotebookNode

from graders.repair.document import Document, Piece
from graders.repair.draft import Draft
from graders.repair.report import CHANGES
from graders.repair.source import SourceCell
from graders.repair.text import bare, is_same

SCHEMA_VERSION = 3
RUN_TAGS = frozenset({"skip-execution", "raises-exception"})
"""Tags by which nbclient runs a cell otherwise than its neighbours."""
_OUTPUT_KEYS = ("collapsed", "scrolled")
_ALLOWED = frozenset(
    {"schema_version", "grade", "locked", "solution", "task", "grade_id", "points", "checksum", "cell_type"}
)
_FORMAT_WITH_IDS = 5


def rebuild(draft: Draft, document: Document) -> NotebookNode:
    """Return the notebook that is run."""
    metadata = NotebookNode(document.metadata)
    if draft.source.kernelspec:
        metadata["kernelspec"] = nbformat.from_dict(dict(draft.source.kernelspec))
    cells = [_cell(draft, piece) for piece in draft.pieces]
    if document.minor >= _FORMAT_WITH_IDS:
        _name_cells(draft.pieces, cells)
    return NotebookNode(nbformat=4, nbformat_minor=document.minor, metadata=metadata, cells=cells)


def _cell(draft: Draft, piece: Piece) -> NotebookNode:
    cell_type, source = piece.cell_type, piece.source
    if piece.cell:
        cell_type = piece.cell.cell_type
        if cell_type != piece.cell_type:
            draft.note("type", piece.cell.grade_id, found=piece.cell_type, wanted=cell_type)
        if piece.cell.locked:
            if not is_same(source, piece.cell.released) and not is_same(source, piece.cell.source):
                draft.note("source", piece.cell.grade_id)
            source = piece.cell.source
    else:
        cell_type = _ordinary_type(draft, piece)
    node = NotebookNode(cell_type=cell_type, metadata=_metadata(draft, piece, cell_type), source=source)
    if cell_type == "code":
        node["execution_count"], node["outputs"] = None, []
    elif piece.attachments:
        node["attachments"] = nbformat.from_dict(piece.attachments)
    return node


def _ordinary_type(draft: Draft, piece: Piece) -> str:
    types = {
        cell.cell_type
        for cell in draft.source.cells
        if not cell.grade_id and bare(piece.source) and bare(cell.released) == bare(piece.source)
    }
    if not types or piece.cell_type in types:
        return piece.cell_type
    wanted = min(types)
    draft.note("ordinary-type", found=piece.cell_type, wanted=wanted)
    return wanted


def _metadata(draft: Draft, piece: Piece, cell_type: str) -> NotebookNode:
    metadata = dict(piece.metadata)
    if cell_type == "code":
        for key in _OUTPUT_KEYS:
            metadata.pop(key, None)
    tags = metadata.get("tags", [])
    if dropped := RUN_TAGS.intersection(tags):
        draft.note("tag", tag=", ".join(sorted(dropped)))
        metadata["tags"] = [tag for tag in tags if tag not in dropped]
    if piece.cell:
        metadata["nbgrader"] = _nbgrader(draft, piece.cell, metadata.get("nbgrader", {}))
    elif "nbgrader" in metadata:
        if piece.claim and piece.claim not in draft.source.named:
            draft.note("foreign", piece.claim[:80])
        del metadata["nbgrader"]
    return nbformat.from_dict(metadata)


def _nbgrader(draft: Draft, cell: SourceCell, submitted: Mapping[str, Any]) -> dict[str, Any]:
    right = cell.nbgrader_metadata()
    kept = {key: value for key, value in submitted.items() if key in _ALLOWED}
    if not right["task"] and "task" not in kept:
        del right["task"]
    if "points" not in right:
        kept.pop("points", None)
    if (cell.grade or cell.solution) and isinstance(kept.get("locked"), bool):
        # It says nothing then: a test is always locked, an answer never (`nbgrader.utils.is_locked`).
        right["locked"] = kept["locked"]
    if "cell_type" in kept:
        kept["cell_type"] = cell.cell_type
    changed = [key for key in CHANGES if kept.get(key, right.get(key)) != right.get(key)]
    if submitted and cell.grade_id == submitted.get("grade_id"):
        if changed:
            draft.note("metadata", cell.grade_id, what=", ".join(changed))
        if submitted.get("schema_version") != SCHEMA_VERSION:
            draft.note("schema")
    return kept | right


def _name_cells(pieces: list[Piece], cells: list[NotebookNode]) -> None:
    """Give each cell an id of its own, the same for the same notebook."""
    submitted = {piece.cell_id for piece in pieces}
    free = (name for number in count() if (name := f"cell-{number}") not in submitted)
    used: set[str] = set()
    for piece, cell in zip(pieces, cells, strict=True):
        name = piece.cell_id
        if not name or name in used:
            name = next(free)
        used.add(name)
        cell["id"] = name
