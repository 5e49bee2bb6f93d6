"""Which submitted cell is which cell of the source: by its name first, then by what is in it.

A name alone is not believed where the content says plainly otherwise, since a locked cell's text is replaced
and the answer in it would be lost.
"""

from __future__ import annotations

from collections import Counter

from graders.repair.document import Piece
from graders.repair.draft import Draft
from graders.repair.python_code import defined
from graders.repair.source import SourceCell
from graders.repair.text import bare, is_same, is_telling, share

ALIKE = 0.6
"""From this share of common lines on, two texts are versions of one another."""
UNLIKE = 0.2
_NEARLY_THE_SAME = 0.8


def match(draft: Draft) -> None:
    """Say of each submitted cell which named cell of the source it is; several may be the same."""
    for piece in draft.pieces:
        piece.cell = draft.source.named.get(piece.claim)
    for piece in draft.pieces:
        if piece.cell and (other := _contradiction(draft, piece, piece.cell)):
            piece.cell = other
            draft.note("renamed", other.grade_id, found=piece.claim)
    for cell in draft.missing():
        if piece_found := _recognised(draft, cell):
            piece_found.cell = cell
            if piece_found.claim:
                draft.note("renamed", cell.grade_id, found=piece_found.claim)
            else:
                draft.note("recognised", cell.grade_id)


def _contradiction(draft: Draft, piece: Piece, claimed: SourceCell) -> SourceCell | None:
    """Return the cell that a piece is in truth, None where its name may be right."""
    if is_same(piece.source, claimed.released):
        return None
    for cell in draft.source.named.values():
        if cell is claimed:
            continue
        rivals = [each.source for each in draft.pieces_of(cell)]
        if cell.answerable:
            names = draft.names(cell)
            if (
                not claimed.answerable
                and share(claimed.released, piece.source) < UNLIKE
                and names
                and names <= defined(piece.source)
                and not any(names <= defined(text) and not is_same(text, cell.released) for text in rivals)
            ):
                return cell
        elif (
            is_telling(cell.released)
            and _is_version(piece.source, cell.released)
            and not any(_is_version(text, cell.released) for text in rivals)
            and not draft.names(claimed) & defined(piece.source)
        ):
            return cell
    return None


def _is_version(text: str, released: str) -> bool:
    return share(released, text) >= _NEARLY_THE_SAME and share(text, released) >= _NEARLY_THE_SAME


def _recognised(draft: Draft, cell: SourceCell) -> Piece | None:
    own = [piece for piece in draft.pieces if draft.is_own(piece)]
    exact = [piece for piece in own if is_same(piece.source, cell.released)]
    if exact and (is_telling(cell.released) or exact[0].cell_type == cell.cell_type):
        return exact[0]
    same_id = [piece for piece in own if cell.cell_id and piece.cell_id == cell.cell_id]
    if same_id:
        return same_id[0]
    if names := draft.names(cell):
        return next((piece for piece in reversed(own) if names <= defined(piece.source)), None)
    if not cell.answerable:
        alike = [(_likeness(piece.source, cell.released), -index) for index, piece in enumerate(own)]
        best, index = max(alike, default=(0.0, 0))
        return own[-index] if best >= ALIKE else None
    return _between_neighbours(draft, cell)


def _likeness(text: str, released: str) -> float:
    return min(share(released, text), share(text, released))


def _between_neighbours(draft: Draft, cell: SourceCell) -> Piece | None:
    """Return the only cell of the learner's that stands where `cell` stood."""
    if not draft.source.has_ordinary:
        return None
    position = draft.source.position(cell)
    before = (_index_of(draft, each) for each in reversed(draft.source.cells[:position]))
    after = (_index_of(draft, each) for each in draft.source.cells[position + 1 :])
    first = next((index for index in before if index is not None), -1)
    last = next((index for index in after if index is not None), len(draft.pieces))
    found = [
        piece
        for piece in draft.pieces[first + 1 : last]
        if draft.is_own(piece) and (piece.cell_type == "code") == (cell.cell_type == "code")
    ]
    return found[0] if len(found) == 1 else None


def _index_of(draft: Draft, cell: SourceCell) -> int | None:
    """Return where a cell of the source stands, None where it does not or could be mistaken."""
    if cell.grade_id:
        piece = draft.find_piece(cell)
        return None if piece is None else draft.index(piece)
    text = bare(cell.released)
    texts = Counter(bare(piece.source) for piece in draft.pieces if piece.cell is None)
    if texts[text] != 1:
        return None
    return next(
        index for index, piece in enumerate(draft.pieces) if piece.cell is None and bare(piece.source) == text
    )
