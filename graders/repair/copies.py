"""Cells that are there more than once, and cells that were split."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from graders.repair.document import Piece
from graders.repair.draft import Draft, is_unanswered
from graders.repair.matching import ALIKE
from graders.repair.python_code import defined, is_python
from graders.repair.source import SourceCell
from graders.repair.text import bare, is_same, share

MOST_PARTS = 6
"""More parts than a split cell plausibly has are not looked at."""


def settle_copies(draft: Draft) -> None:
    """Leave one submitted cell for each named cell of the source; the others become ordinary cells."""
    for cell in draft.source.named.values():
        if len(draft.pieces_of(cell)) > 1:
            if cell.answerable:
                _settle_answers(draft, cell)
            else:
                _settle_locked(draft, cell)


def _settle_locked(draft: Draft, cell: SourceCell) -> None:
    pieces = draft.pieces_of(cell)
    alike = [piece for piece in pieces if share(cell.released, piece.source) >= 0.5]
    kept = (alike or pieces)[-1]
    others = [piece for piece in pieces if piece is not kept]
    for piece in others:
        piece.cell = None
    # What is the instructor's alone is no learner's work.
    draft.remove(piece for piece in others if share(piece.source, cell.released) == 1)
    draft.note("locked-copy", cell.grade_id)


def _settle_answers(draft: Draft, cell: SourceCell) -> None:
    is_joined = _join(draft, cell, _are_torn)
    pieces = draft.pieces_of(cell)
    if empty := [piece for piece in pieces if is_unanswered(piece, cell)]:
        # A stub that runs after the answer would take its place.
        draft.remove(empty if len(empty) < len(pieces) else empty[:-1])
    is_joined |= _join(draft, cell, partial(_belong_together, draft.names(cell)))
    left = draft.pieces_of(cell)
    names = draft.names(cell)
    right = [piece for piece in left if names <= defined(piece.source)]
    for piece in left:
        if piece is not (right or left)[-1]:
            piece.cell = None
    draft.note("joined" if is_joined and len(left) == 1 else "copy", cell.grade_id)


def _join(draft: Draft, cell: SourceCell, are_parts: Callable[[str, str], bool]) -> bool:
    """Make one of neighbours that are parts of `cell`; return whether there were any."""
    is_joined = False
    for first, second in pairwise(draft.pieces_of(cell)):
        is_next = draft.index(second) == draft.index(first) + 1
        if is_next and are_parts(first.source, second.source):
            second.source = _joined(first.source, second.source)
            draft.remove([first])
            is_joined = True
    return is_joined


def _are_torn(first: str, second: str) -> bool:
    is_whole = is_python(first) and is_python(second)
    return not is_whole and (is_python(f"{first}\n{second}") or is_python(f"{first}{second}"))


def _belong_together(names: frozenset[str], first: str, second: str) -> bool:
    """Return whether two cells are parts of one, and not the same answer twice."""
    return not (
        is_same(first, second)
        or max(share(first, second), share(second, first)) >= ALIKE
        or bool(names and names <= defined(first) and names <= defined(second))
    )


def _joined(first: str, second: str) -> str:
    """Put two parts together; where the cut was inside a line, only that makes it Python again."""
    lines, text = f"{first}\n{second}", f"{first}{second}"
    return text if not is_python(lines) and is_python(text) else lines


def join_torn(draft: Draft) -> None:
    """Put answers together whose other part lost its name: alone neither is Python, together they are."""
    for cell in draft.source.named.values():
        piece = draft.find_piece(cell) if cell.answerable and cell.cell_type == "code" else None
        if piece is None:
            continue
        start = draft.index(piece)
        around = _after(draft, start), _before(draft, start)
        for parts in around:
            if whole := _whole(draft, piece, parts):
                piece.source, used = whole
                draft.remove(used)
                draft.note("joined", cell.grade_id)
                break


def _after(draft: Draft, start: int) -> list[list[Piece]]:
    """Return the runs of the learner's own cells that begin right after `start`, shortest first."""
    run: list[Piece] = []
    for piece in draft.pieces[start + 1 : start + MOST_PARTS]:
        if not draft.is_own(piece) or piece.cell_type != "code":
            break
        run.append(piece)
    return [[draft.pieces[start], *run[:length]] for length in range(1, len(run) + 1)]


def _before(draft: Draft, start: int) -> list[list[Piece]]:
    run: list[Piece] = []
    for piece in reversed(draft.pieces[max(0, start - MOST_PARTS + 1) : start]):
        if not draft.is_own(piece) or piece.cell_type != "code":
            break
        run.insert(0, piece)
    return [[*run[-length:], draft.pieces[start]] for length in range(1, len(run) + 1)]


def _whole(draft: Draft, piece: Piece, runs: list[list[Piece]]) -> tuple[str, list[Piece]] | None:
    for run in runs:
        if all(is_python(part.source) for part in run):
            continue
        text = run[0].source
        for part in run[1:]:
            text = _joined(text, part.source)
        if bare(text) and is_python(text):
            return text, [part for part in run if part is not piece]
    return None
