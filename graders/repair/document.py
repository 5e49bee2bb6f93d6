"""A submitted notebook file, read as far as anything can be read of it. Its outputs are not kept."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbformat import NotebookNode

from course.archive import MAX_BYTES
from graders.repair.json_bounds import excess
from graders.repair.report import Repair, Unreadable
from graders.repair.source import SourceCell

MAX_NOTEBOOK_BYTES = MAX_BYTES
"""What can be handed in at all can be a single notebook."""
MAX_CELLS = 2_000
MAX_SOURCE_CHARACTERS = 5_000_000

CELL_TYPES = ("code", "markdown", "raw")
_NO_NOTEBOOK = "{name} is not a notebook that can be read."
_FETCH_AGAIN = "Open it in JupyterLab. If that fails, fetch the assignment anew and copy your work."
_TOO_LARGE = "{name} is too large; clear its outputs."
_CLEAR = "In JupyterLab: Edit, Clear Outputs of All Cells; then save, and submit again."
_DEEP = "{name} nests too deep to be a notebook."
_MANY_CELLS = "{name} has more than {most} cells."
_MUCH_TEXT = "{name} has more text than a notebook can hold."
MESSAGES = (_NO_NOTEBOOK, _FETCH_AGAIN, _TOO_LARGE, _CLEAR, _DEEP, _MANY_CELLS, _MUCH_TEXT)
"""What an `Unreadable` of this module says."""
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(slots=True, eq=False)
class Piece:
    """One submitted cell, and the cell of the source that it turned out to be; equal only to itself."""

    cell_type: str
    source: str
    metadata: dict[str, Any] = field(default_factory=dict)
    cell_id: str = ""
    attachments: dict[str, Any] | None = None
    cell: SourceCell | None = None

    @property
    def claim(self) -> str:
        """The grade_id that it came with; empty if none."""
        known = self.metadata.get("nbgrader")
        name = known.get("grade_id") if isinstance(known, dict) else None
        return name if isinstance(name, str) else ""


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds; `minor` is its version 4.`minor` of the notebook format."""

    pieces: tuple[Piece, ...]
    metadata: Mapping[str, Any]
    minor: int
    repairs: tuple[Repair, ...]


def read_document(content: bytes, name: str = "notebook.ipynb") -> Document:
    """Read a notebook file; `name` is for messages.

    Raises:
        Unreadable: It is too large, nests too deep, or is no notebook of the formats 3 and 4.
    """
    if len(content) > MAX_NOTEBOOK_BYTES:
        raise Unreadable(_TOO_LARGE, _CLEAR, name)
    found = _parse(content, name)
    repairs: list[Repair] = []
    if "cells" not in found and isinstance(found.get("worksheets"), list):
        found = _upgrade(found, name)
        repairs.append(Repair("format", values={"version": "nbformat 3"}))
    cells = found.get("cells")
    if not isinstance(cells, list):
        raise Unreadable(_NO_NOTEBOOK, _FETCH_AGAIN, name)
    if len(cells) > MAX_CELLS:
        raise Unreadable(_MANY_CELLS, _FETCH_AGAIN, name, most=str(MAX_CELLS))
    minor = found.get("nbformat_minor")
    is_known = isinstance(minor, int) and 0 <= minor <= 100 and found.get("nbformat") == 4
    pieces = tuple(_piece(cell) for cell in cells)
    if sum(len(piece.source) for piece in pieces) > MAX_SOURCE_CHARACTERS:
        raise Unreadable(_MUCH_TEXT, _FETCH_AGAIN, name)
    metadata, is_sound = _notebook_metadata(found.get("metadata"))
    if not is_sound or not is_known or not all(map(_is_sound, cells)):
        repairs.append(Repair("damage"))
    return Document(pieces, metadata, int(minor or 0) if is_known else 5, tuple(repairs))


def _parse(content: bytes, name: str) -> dict[str, Any]:
    if problem := excess(content):
        if problem == "deep":
            raise Unreadable(_DEEP, _FETCH_AGAIN, name)
        raise Unreadable(_TOO_LARGE, _CLEAR, name)
    try:
        # Decoded here, since json would take other encodings too, which the bounds were not looked for in.
        found = json.loads(content.decode("utf-8-sig"), parse_constant=lambda _name: None)
    except (ValueError, RecursionError) as error:
        raise Unreadable(_NO_NOTEBOOK, _FETCH_AGAIN, name) from error
    if not isinstance(found, dict):
        raise Unreadable(_NO_NOTEBOOK, _FETCH_AGAIN, name)
    if _SURROGATE_ESCAPE.search(content):
        found = _encodable(found)
    return found


def _encodable(value: Any) -> Any:
    """Half a surrogate pair is a string in JSON, and can then be neither hashed nor written."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_encodable(each) for each in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(each) for key, each in value.items()}
    return value


def _upgrade(found: dict[str, Any], name: str) -> dict[str, Any]:
    for sheet in found["worksheets"]:
        for cell in sheet.get("cells", []) if isinstance(sheet, dict) else []:
            if isinstance(cell, dict):
                cell["outputs"] = []
                # nbformat's own upgrade wants them as one text, not as the lines that a file has.
                cell |= {name: _text(cell[name]) for name in ("input", "source") if name in cell}
    try:
        upgraded: dict[str, Any] = nbformat.convert(
            nbformat.from_dict({"nbformat_minor": 0, **found, "nbformat": 3}), 4
        )
    # nbformat raises whatever a file makes it stumble over.
    except Exception as error:
        raise Unreadable(_NO_NOTEBOOK, _FETCH_AGAIN, name) from error
    return upgraded


def _piece(cell: Any) -> Piece:
    cell = cell if isinstance(cell, dict) else {}
    cell_type = cell.get("cell_type")
    metadata = cell.get("metadata")
    attachments = cell.get("attachments")
    cell_id = cell.get("id")
    return Piece(
        cell_type=cell_type if cell_type in CELL_TYPES else "code" if "outputs" in cell else "raw",
        source=_text(cell.get("source")),
        metadata=_cell_metadata(metadata) if isinstance(metadata, dict) else {},
        cell_id=cell_id if isinstance(cell_id, str) and _CELL_ID.fullmatch(cell_id) else "",
        attachments=attachments if cell_type != "code" and _are_attachments(attachments) else None,
    )


def _text(source: Any) -> str:
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def _is_sound(cell: Any) -> bool:
    return (
        isinstance(cell, dict)
        and cell.get("cell_type") in CELL_TYPES
        and isinstance(cell.get("metadata"), dict)
        and isinstance(cell.get("source"), str | list)
    )


def _cell_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    """Keep what the format allows: one wrong value and no tool opens the notebook any more."""
    kept = dict(metadata)
    for key, is_right in _CELL_KEYS.items():
        if key in kept and not is_right(kept[key]):
            del kept[key]
    return kept


def _notebook_metadata(metadata: Any) -> tuple[NotebookNode, bool]:
    if not isinstance(metadata, dict):
        return NotebookNode(), False
    kept = {key: value for key, value in metadata.items() if key not in _NOTEBOOK_KEYS}
    known = ((key, metadata[key], right) for key, right in _NOTEBOOK_KEYS.items() if key in metadata)
    kept |= {key: value for key, value, right in known if right(value)}
    ordered = {key: kept[key] for key in metadata if key in kept}
    return nbformat.from_dict(ordered), len(kept) == len(metadata)


def _are_tags(value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(tag, str) and tag and "," not in tag and "\n" not in tag for tag in value)
        and len(set(value)) == len(value)
    )


def _are_attachments(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(bundle, dict)
        and all(isinstance(data, str) or _is_list_of_texts(data) for data in bundle.values())
        for bundle in value.values()
    )


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and "\n" not in value


def _are_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _has_texts(*keys: str) -> Any:
    return lambda value: isinstance(value, dict) and all(isinstance(value.get(key), str) for key in keys)


_CELL_KEYS: Mapping[str, Any] = {
    "tags": _are_tags,
    "name": _is_text,
    "format": lambda value: isinstance(value, str),
    "execution": _are_texts,
    "jupyter": lambda value: isinstance(value, dict),
    "collapsed": lambda value: isinstance(value, bool),
    "scrolled": lambda value: value is True or value is False or value == "auto",
    "nbgrader": lambda value: isinstance(value, dict),
}
_NOTEBOOK_KEYS: Mapping[str, Any] = {
    "kernelspec": _has_texts("name", "display_name"),
    "language_info": _has_texts("name"),
    "title": lambda value: isinstance(value, str),
    "authors": lambda value: isinstance(value, list),
    "orig_nbformat": lambda value: isinstance(value, int) and value >= 1,
}
