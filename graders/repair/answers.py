"""Answers that stand in another cell than their own.

A learner cannot gain by it: it is the learner's own code that runs, once more or somewhere else.
"""

from __future__ import annotations

from graders.repair.document import Piece
from graders.repair.draft import Draft, is_unanswered
from graders.repair.python_code import cut, defined, is_python, used
from graders.repair.source import SourceCell


def return_answers(draft: Draft) -> bool:
    """Put each answer that would not count where it stands into its own cell; return whether there were any.

    The cells must be in order.
    """
    returned = False
    for cell in draft.source.named.values():
        if cell.answerable and cell.cell_type == "code":
            returned |= bool(draft.names(cell)) and _return_code(draft, cell)
        elif cell.answerable and draft.source.has_ordinary:
            returned |= _return_text(draft, cell)
    return returned


def _return_code(draft: Draft, cell: SourceCell) -> bool:
    names = draft.names(cell)
    own = draft.find_piece(cell)
    if own and not is_unanswered(own, cell) and (names <= defined(own.source) or not is_python(own.source)):
        return False
    donors = [piece for piece in draft.pieces if _is_donor(draft, piece, cell)]
    if not donors or (own and any(_counts_already(draft, own, donor, cell) for donor in donors)):
        return False
    donor = donors[-1]
    if donor.cell is None:
        _take_whole(draft, cell, own, donor)
    else:
        _take_from_answer(draft, cell, own, donor, donor.cell)
    draft.note("answer-moved", cell.grade_id)
    return True


def _is_donor(draft: Draft, piece: Piece, cell: SourceCell) -> bool:
    names = draft.names(cell)
    if piece.cell is None:
        return draft.is_own(piece) and names <= defined(piece.source)
    if not piece.cell.answerable or piece.cell is cell or is_unanswered(piece, piece.cell):
        return False
    # Where two answers define the same names, one after the other, neither is lost.
    return names <= defined(piece.source) and not names <= draft.names(piece.cell)


def _counts_already(draft: Draft, own: Piece, donor: Piece, cell: SourceCell) -> bool:
    """Return whether `donor` runs before the tests of `cell`, and `own` does not undo it."""
    here, there = draft.index(own), draft.index(donor)
    tested = next(
        (
            index
            for index, piece in enumerate(draft.pieces)
            if piece.cell and piece.cell.grade and not piece.cell.solution
            if draft.source.position(piece.cell) > draft.source.position(cell) and index > here
        ),
        len(draft.pieces),
    )
    undone = bool(draft.names(cell) & defined(own.source)) and there < here
    return there < tested and not undone and donor.cell_type == "code"


def _take_whole(draft: Draft, cell: SourceCell, own: Piece | None, donor: Piece) -> None:
    if own is None:
        donor.cell = cell
        return
    kept = "" if is_unanswered(own, cell) else f"\n\n{own.source}"
    own.source = f"{donor.source}{kept}"
    draft.remove([donor])


def _take_from_answer(
    draft: Draft, cell: SourceCell, own: Piece | None, donor: Piece, other: SourceCell
) -> None:
    others = draft.names(other)
    if others and not others <= defined(donor.source):
        if own is None:
            donor.cell = cell
        else:
            own.source, donor.source = donor.source, own.source
        return
    taken = donor.source
    parts = cut(donor.source, draft.names(cell))
    # An answer that leans on the rest of the cell gets all of it.
    if parts and not used(parts[1]) & defined(parts[0]):
        donor.source, taken = parts
    if own is None:
        draft.pieces.insert(draft.index(donor) + 1, Piece(cell_type=cell.cell_type, source=taken, cell=cell))
    else:
        kept = "" if is_unanswered(own, cell) else f"\n\n{own.source}"
        own.source = f"{taken}{kept}"


def _return_text(draft: Draft, cell: SourceCell) -> bool:
    """Take the text that stands right below an answer that was left as it was released."""
    own = draft.find_piece(cell)
    if own is None or not is_unanswered(own, cell):
        return False
    below: list[Piece] = []
    for piece in draft.pieces[draft.index(own) + 1 :]:
        if piece.cell_type == "code" or not draft.is_own(piece):
            break
        below.append(piece)
    if below:
        own.source = "\n\n".join(piece.source for piece in below)
        draft.remove(below)
        draft.note("answer-moved", cell.grade_id)
    return bool(below)
