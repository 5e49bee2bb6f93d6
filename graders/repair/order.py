"""Cells in the wrong place, and missing ones; the learner's own stay where they are."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict

from graders.repair.document import Piece
from graders.repair.draft import Draft
from graders.repair.python_code import defined, used
from graders.repair.source import SourceCell
from graders.repair.text import bare


def put_in_order(draft: Draft) -> None:
    """Move what stands in the wrong place, put back what is missing; what is right stays where it is."""
    matched = _matched(draft)
    kept = _longest_in_order(draft, matched)
    moved = [piece for piece in matched if piece not in kept and _matters(piece, matched[piece])]
    draft.remove(moved)
    back = {draft.source.position(matched[piece]): piece for piece in moved}
    missing = [*draft.missing(), *_lost_definitions(draft, back)]
    restored = {draft.source.position(cell): cell for cell in missing if cell not in map(matched.get, moved)}
    for position in sorted({*back, *restored}):
        cell = draft.source.cells[position]
        piece = back.get(position) or _restored(draft, cell)
        if piece is None:
            continue
        if position in back:
            _note_move(draft, cell)
        _insert(draft, kept, piece, position)
        kept[piece] = position


def note_missing_answers(draft: Draft) -> None:
    """Report the answers that are nowhere."""
    for cell in draft.missing():
        draft.note("no-answer", cell.grade_id)


def _matched(draft: Draft) -> dict[Piece, SourceCell]:
    """Return the submitted cells that are the source's, also the ordinary ones that nobody changed."""
    by_text: dict[str, list[Piece]] = defaultdict(list)
    for piece in draft.pieces:
        if piece.cell is None:
            by_text[bare(piece.source)].append(piece)
    ordinary: dict[str, list[SourceCell]] = defaultdict(list)
    for cell in draft.source.cells:
        if not cell.grade_id:
            ordinary[bare(cell.released)].append(cell)
    same = {
        piece: cell
        for text, cells in ordinary.items()
        # With a copy more or less nobody can say which is which.
        if len(cells) == len(by_text[text])
        for piece, cell in zip(by_text[text], cells, strict=True)
    }
    found = {piece: piece.cell or same.get(piece) for piece in draft.pieces}
    return {piece: cell for piece, cell in found.items() if cell is not None}


def _longest_in_order(draft: Draft, matched: dict[Piece, SourceCell]) -> dict[Piece, int]:
    """Return a longest selection that stands in the source's order, with the positions there."""
    pieces = list(matched)
    positions = [draft.source.position(matched[piece]) for piece in pieces]
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, position in enumerate(positions):
        length = bisect_left(tails, position)
        before.append(ends[length - 1] if length else -1)
        tails[length:] = [position] if length == len(tails) else [position, *tails[length + 1 :]]
        ends[length:] = [index] if length == len(ends) else [index, *ends[length + 1 :]]
    chosen, index = dict[Piece, int](), ends[-1] if ends else -1
    while index >= 0:
        chosen[pieces[index]] = positions[index]
        index = before[index]
    return chosen


def _matters(piece: Piece, cell: SourceCell) -> bool:
    if cell.grade_id:
        return True
    return cell.cell_type == piece.cell_type == "code" and bool(defined(cell.source))


def _lost_definitions(draft: Draft, back: dict[int, Piece]) -> list[SourceCell]:
    """Return the ordinary cells without which a name that a named cell uses has no value."""
    pieces = [*draft.pieces, *back.values()]
    code = (piece.source for piece in pieces if (piece.cell or piece).cell_type == "code")
    available = frozenset[str]().union(*map(defined, code))
    needed = frozenset[str]().union(
        *(used(cell.source) for cell in draft.source.named.values() if not cell.answerable),
        *(used(piece.source) for piece in pieces if piece.cell),
    )
    return [
        cell
        for cell in draft.source.cells
        if not cell.grade_id and cell.cell_type == "code" and (defined(cell.source) - available) & needed
    ]


def _restored(draft: Draft, cell: SourceCell) -> Piece | None:
    if cell.answerable and not cell.grade:
        # An empty one would only take the place of an answer that nobody recognised.
        return None
    if cell.grade_id:
        draft.note("restored", cell.grade_id)
    else:
        draft.note("setup", names=", ".join(sorted(defined(cell.source))))
    return Piece(
        cell_type=cell.cell_type,
        source=cell.released,
        cell_id=cell.cell_id,
        cell=cell if cell.grade_id else None,
    )


def _note_move(draft: Draft, cell: SourceCell) -> None:
    if cell.grade_id:
        draft.note("order", cell.grade_id)
    else:
        draft.note("ordinary-order", names=", ".join(sorted(defined(cell.source))))


def _insert(draft: Draft, kept: dict[Piece, int], piece: Piece, position: int) -> None:
    """A named cell goes before the next one of the source, after what the learner added; setup goes first."""
    places = [(index, kept[each]) for index, each in enumerate(draft.pieces) if each in kept]
    if piece.cell is None:
        index = max((index + 1 for index, other in places if other < position), default=0)
    else:
        index = min((index for index, other in places if other > position), default=len(draft.pieces))
    draft.pieces.insert(index, piece)
