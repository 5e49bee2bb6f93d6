"""A submitted notebook while it is repaired: its cells, and what each turned out to be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from graders.repair.document import Piece
from graders.repair.report import Repair
from graders.repair.source import SourceCell, SourceNotebook
from graders.repair.text import bare, is_same, share


@dataclass(slots=True)
class Draft:
    """The cells in their present order, and the repairs so far."""

    source: SourceNotebook
    pieces: list[Piece]
    repairs: list[Repair] = field(default_factory=list)

    def note(self, kind: str, cell: str = "", **values: str) -> None:
        """Report a repair, once."""
        repair = Repair(kind, cell, values)
        if repair not in self.repairs:
            self.repairs.append(repair)

    def pieces_of(self, cell: SourceCell) -> list[Piece]:
        return [piece for piece in self.pieces if piece.cell is cell]

    def find_piece(self, cell: SourceCell) -> Piece | None:
        return next((piece for piece in self.pieces if piece.cell is cell), None)

    def missing(self) -> list[SourceCell]:
        """Return the cells that nbgrader looks at and that are not there, in the source's order."""
        present = {id(piece.cell) for piece in self.pieces if piece.cell}
        return [cell for cell in self.source.named.values() if id(cell) not in present]

    def names(self, cell: SourceCell) -> frozenset[str]:
        """Return the names that an answer in `cell` has to define; empty where they are not known."""
        return self.source.answer_names.get(cell.grade_id, frozenset())

    def is_own(self, piece: Piece) -> bool:
        """Return whether a cell is the learner's: none of the source's, and with something in it."""
        text = bare(piece.source)
        return piece.cell is None and bool(text) and text not in self.source.ordinary_texts

    def index(self, piece: Piece) -> int:
        return self.pieces.index(piece)

    def remove(self, pieces: Iterable[Piece]) -> None:
        gone = set(pieces)
        self.pieces[:] = [piece for piece in self.pieces if piece not in gone]


def is_unanswered(piece: Piece, cell: SourceCell) -> bool:
    """Return whether a cell for an answer holds nothing, or only lines that were released."""
    text = piece.source
    return not bare(text) or is_same(text, cell.released) or share(text, cell.released) == 1
