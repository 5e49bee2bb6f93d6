"""Merged cells, taken apart where one of the assignment's cells stands inside another."""

from __future__ import annotations

from dataclasses import dataclass

from graders.repair.document import Piece
from graders.repair.draft import Draft
from graders.repair.python_code import defined
from graders.repair.source import SourceCell
from graders.repair.text import bare, is_same, is_telling


@dataclass(slots=True)
class _Part:
    """A stretch of a merged cell; `cell` is None while nobody knows whose it is."""

    text: str
    cell: SourceCell | None = None


def divide_merged(draft: Draft) -> None:
    """Make several cells of a cell that holds the texts of others that are missing."""
    for piece in list(draft.pieces):
        absent = _absent(draft)
        if not absent:
            return
        if piece.cell is None and not draft.is_own(piece):
            continue
        parts = _parts(piece, absent)
        if len(parts) > 1 or (parts and parts[0].cell not in (None, piece.cell)):
            _assign(draft, piece, parts, absent)
            if _is_worthwhile(piece, parts):
                _replace(draft, piece, parts)


def _absent(draft: Draft) -> list[SourceCell]:
    """Return the cells of the source, ordinary ones too, whose text is nowhere as a cell of its own."""
    texts = {bare(piece.source) for piece in draft.pieces}
    missing = {id(cell) for cell in draft.missing()}
    return [
        cell
        for cell in draft.source.cells
        if (id(cell) in missing if cell.grade_id else bare(cell.released) not in texts)
    ]


def _parts(piece: Piece, absent: list[SourceCell]) -> list[_Part]:
    known = [cell for cell in absent if is_telling(cell.released)]
    own = piece.cell
    if own and not own.answerable and is_telling(own.released):
        known.append(own)
    found: list[tuple[int, str, SourceCell]] = []
    for cell in known:
        text = cell.released.strip()
        if (start := piece.source.find(text)) >= 0 and not is_same(piece.source, text):
            found.append((start, text, cell))
    if not found:
        return []
    parts, end = list[_Part](), 0
    for start, text, cell in sorted(found, key=lambda each: (each[0], -len(each[1]))):
        if start < end:
            continue
        parts += [_Part(piece.source[end:start].strip("\n")), _Part(text, cell)]
        end = start + len(text)
    parts.append(_Part(piece.source[end:].strip("\n")))
    return [part for part in parts if bare(part.text)]


def _assign(draft: Draft, piece: Piece, parts: list[_Part], absent: list[SourceCell]) -> None:
    """Say whose the unknown parts are: by the names that they define, then by their place."""
    taken = {id(part.cell) for part in parts if part.cell}
    wanted = [cell for cell in absent if cell.answerable and id(cell) not in taken]
    if piece.cell and piece.cell.answerable:
        wanted.append(piece.cell)
    wanted.sort(key=draft.source.position)
    for part in parts:
        if part.cell is None:
            names = defined(part.text)
            fitting = (cell for cell in wanted if draft.names(cell) and draft.names(cell) <= names)
            part.cell = next(fitting, None)
            wanted = [cell for cell in wanted if cell is not part.cell]
    for index, part in enumerate(parts):
        if part.cell is None:
            part.cell = next((cell for cell in wanted if _is_next_to(draft, cell, parts, index)), None)
            wanted = [cell for cell in wanted if cell is not part.cell]
    unknown = [part for part in parts if part.cell is None]
    if len(unknown) == 1 and piece.cell in wanted:
        unknown[0].cell = piece.cell


def _is_next_to(draft: Draft, cell: SourceCell, parts: list[_Part], index: int) -> bool:
    """Return whether the source has `cell` between what is around a part, right beside one of it."""
    position = draft.source.position(cell)
    before = [draft.source.position(each.cell) for each in parts[:index] if each.cell]
    after = [draft.source.position(each.cell) for each in parts[index + 1 :] if each.cell]
    if (before and position <= max(before)) or (after and position >= min(after)):
        return False
    return position - 1 in before or position + 1 in after


def _is_worthwhile(piece: Piece, parts: list[_Part]) -> bool:
    """An ordinary cell that quotes another ordinary one stays as its learner wrote it."""
    return piece.cell is not None or any(part.cell and part.cell.grade_id for part in parts)


def _replace(draft: Draft, piece: Piece, parts: list[_Part]) -> None:
    pieces = []
    for part in parts:
        cell = part.cell
        new = Piece(cell_type=cell.cell_type if cell else piece.cell_type, source=part.text)
        if cell and cell.grade_id:
            new.cell = cell
            draft.note("divided", cell.grade_id)
        if cell and cell is piece.cell:
            new.metadata, new.cell_id, new.attachments = piece.metadata, piece.cell_id, piece.attachments
        pieces.append(new)
    index = draft.index(piece)
    draft.pieces[index : index + 1] = pieces
