"""An assignment's notebook as the gradebook knows it: what a submission may not change is its."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, cast

from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, is_locked

from graders.authoring.regions import HIDDEN_TESTS, MARK_SCHEME, split
from graders.repair.python_code import defined, stubs, used
from graders.repair.text import bare

CellType = Literal["code", "markdown", "raw"]


@dataclass(frozen=True)
class SourceCell:
    """One cell; `source` is what nbgrader's SaveCells stored: without solutions, with hidden tests.

    An ordinary cell, which nbgrader does not look at, has no `grade_id`. `locked` says whether its text is
    the instructor's, as `nbgrader.utils.is_locked` does. An empty `checksum` is computed.
    """

    cell_type: CellType
    source: str
    grade_id: str = ""
    grade: bool = False
    solution: bool = False
    locked: bool = False
    task: bool = False
    points: float = 0.0
    checksum: str = ""
    cell_id: str = ""
    """The notebook format's own id, a hint of where the cell went; may be empty."""
    visible: str | None = None
    """`source` as learners were given it; None where the usual marks tell what was hidden."""

    @cached_property
    def released(self) -> str:
        """What learners were given: `source` without hidden tests and marking scheme."""
        if self.visible is not None:
            return self.visible
        text = self.source
        for region in (HIDDEN_TESTS, MARK_SCHEME):
            parts = split(text, region)
            if parts.marked:
                text = "\n".join(parts.visible)
        return text

    @cached_property
    def answerable(self) -> bool:
        """A learner writes into it."""
        return bool(self.grade_id) and self.solution

    def nbgrader_metadata(self) -> dict[str, Any]:
        """Return nbgrader's data about the cell, of the current schema."""
        metadata: dict[str, Any] = {
            "grade": self.grade,
            "grade_id": self.grade_id,
            "locked": self.locked,
            "schema_version": 3,
            "solution": self.solution,
            "task": self.task,
        }
        if self.grade or self.task:
            metadata["points"] = self.points
        metadata["checksum"] = self.checksum or self._computed_checksum(metadata)
        return metadata

    def _computed_checksum(self, metadata: Mapping[str, Any]) -> str:
        cell = NotebookNode(
            cell_type=self.cell_type,
            source=self.source,
            metadata=NotebookNode(nbgrader=NotebookNode(metadata)),
        )
        return cast(str, compute_checksum(cell))


@dataclass(frozen=True)
class SourceNotebook:
    """The cells in order, ordinary ones too where they are known; `kernelspec` replaces a submission's."""

    cells: tuple[SourceCell, ...]
    kernelspec: Mapping[str, Any] | None = field(default=None, hash=False)

    def __reduce__(self) -> tuple[Any, ...]:
        # What is computed from identities does not survive in another process.
        return SourceNotebook, (self.cells, self.kernelspec)

    @cached_property
    def named(self) -> Mapping[str, SourceCell]:
        """The cells that nbgrader looks at, by grade_id."""
        return {cell.grade_id: cell for cell in self.cells if cell.grade_id}

    @cached_property
    def positions(self) -> Mapping[int, int]:
        """Where a cell stands, by its `id()`: ordinary cells may be equal to one another."""
        return {id(cell): index for index, cell in enumerate(self.cells)}

    @cached_property
    def has_ordinary(self) -> bool:
        """Whether ordinary cells are known, so that what is not among `cells` is the learner's."""
        return len(self.named) < len(self.cells)

    @cached_property
    def ordinary_texts(self) -> frozenset[str]:
        """The texts of ordinary cells, as `graders.repair.text.bare` gives them."""
        return frozenset(bare(cell.released) for cell in self.cells if not cell.grade_id)

    @cached_property
    def answer_names(self) -> Mapping[str, frozenset[str]]:
        """By grade_id of each code cell for an answer: the names that the answer has to define.

        They are those that its stub defines; else those that only the tests after it use.
        """
        elsewhere = frozenset(dir(builtins)).union(*(defined(cell.source) for cell in self.cells))
        names: dict[str, frozenset[str]] = {}
        for index, cell in enumerate(self.cells):
            if cell.answerable and cell.cell_type == "code":
                names[cell.grade_id] = stubs(cell.source) or self._tested_after(index) - elsewhere
        return names

    def _tested_after(self, index: int) -> frozenset[str]:
        tested: frozenset[str] = frozenset()
        for cell in self.cells[index + 1 :]:
            if cell.answerable:
                break
            if cell.grade:
                tested |= used(cell.source)
        return tested

    def position(self, cell: SourceCell) -> int:
        """Return where one of `cells` stands."""
        return self.positions[id(cell)]


def source_notebook(notebook: NotebookNode) -> SourceNotebook:
    """Return the source that `notebook` stands for, in the state in which nbgrader saves its cells.

    That is after LockCells and ClearSolutions and before ClearHiddenTests.
    """
    cells = []
    for cell in notebook.cells:
        known = cell.metadata.get("nbgrader", {})
        grade, solution, task = (bool(known.get(flag)) for flag in ("grade", "solution", "task"))
        is_named = grade or solution or task or bool(known.get("locked"))
        cells.append(
            SourceCell(
                cell_type=cell.cell_type,
                source=cell.source,
                grade_id=str(known.get("grade_id", "")) if is_named else "",
                grade=grade,
                solution=solution,
                task=task,
                locked=bool(is_locked(cell)),
                points=float(known.get("points", 0) or 0),
                cell_id=cell.get("id", ""),
            )
        )
    return SourceNotebook(tuple(cells), notebook.metadata.get("kernelspec"))
