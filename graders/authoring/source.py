"""A notebook as an author writes it, in MyST, and the nbgrader notebook that it stands for.

Nothing stops at the first mistake: a `SourceNotebook` carries every finding of its file. The same text gives
the same bytes: cell ids come from grade ids and content, not from chance.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import nbformat
import yaml
from jupytext.myst import MystMetadataParsingError, myst_to_notebook
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from course.lint import Finding
from graders.authoring.cells import SourceCell, cell_problems, nbgrader_metadata
from graders.referee.strictness import make_strict

KERNELSPEC: Mapping[str, str] = MappingProxyType(
    {"name": "spoc", "display_name": "Python (course)", "language": "python"}
)
_NEW_CELL = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


@dataclass(frozen=True, slots=True)
class SourceNotebook:
    """One `.md` file: its cells, and what is wrong with them."""

    path: Path
    cells: tuple[SourceCell, ...]
    findings: tuple[Finding, ...]

    @property
    def name(self) -> str:
        """nbgrader's name of the notebook."""
        return self.path.stem

    def built(self, quiz_points: float = 0.0, *, strict: bool = False) -> NotebookNode:
        """Return the nbgrader source notebook; only of a file without findings.

        Args:
            quiz_points: What the module's quiz is worth.
            strict: Whether a test is refused that can be forged.
        """
        notebook = new_notebook(
            metadata={"kernelspec": dict(KERNELSPEC), "language_info": {"name": "python"}}
        )
        if strict:
            make_strict(notebook)
        for cell, cell_id in zip(self.cells, _cell_ids(self.cells), strict=True):
            source = f'spoc.quiz("{cell.name}")' if cell.kind == "quiz" and not cell.native else cell.source
            metadata = nbgrader_metadata(cell, quiz_points)
            notebook.cells.append(_NEW_CELL[cell.cell_type](source, id=cell_id, metadata=metadata))
        nbformat.validate(notebook)
        return notebook


def read_source(path: Path) -> SourceNotebook:
    """Read a MyST notebook; what is wrong with it becomes findings."""
    try:
        text = path.read_text(encoding="utf-8")
        parsed = myst_to_notebook(text, add_source_map=True)
    except FileNotFoundError:
        return SourceNotebook(path, (), (Finding(path, 1, "M002", "the file does not exist"),))
    except (MystMetadataParsingError, yaml.YAMLError, UnicodeDecodeError) as error:
        line = re.search(r"at line (\d+)", str(error))
        reason = " ".join(str(error).split())
        return SourceNotebook(path, (), (Finding(path, int(line[1]) if line else 1, "E001", reason),))
    cells = tuple(
        SourceCell(_first_line(cell, mapped), cell.cell_type, cell.source, cell.metadata)
        for cell, mapped in zip(parsed.cells, parsed.metadata["source_map"], strict=True)
    )
    found = [
        Finding(path, cell.line, code, message) for cell in cells for code, message in cell_problems(cell)
    ]
    found += [*_notebook_problems(path, cells), *_lost_cells(path, text, cells)]
    return SourceNotebook(path, cells, tuple(sorted(found)))


def _first_line(cell: NotebookNode, mapped: int) -> int:
    """jupytext counts from 0 and maps a cell to the line after its fence or `+++`."""
    fenced = cell.cell_type != "markdown" or bool(cell.metadata)
    return max(1, mapped if fenced else mapped + 1)


def _notebook_problems(path: Path, cells: tuple[SourceCell, ...]) -> Iterator[Finding]:
    first_use: dict[str, int] = {}
    for cell in cells:
        if cell.grade_id and cell.grade_id in first_use:
            line = first_use[cell.grade_id]
            yield Finding(path, cell.line, "E003", f"{cell.grade_id} is used already, in line {line}")
        elif cell.grade_id:
            first_use[cell.grade_id] = cell.line
    solutions, tests = set[str](), {cell.name for cell in cells if cell.kind == "tests"}
    for cell in cells:
        if cell.kind == "solution" and not cell.native:
            solutions.add(cell.name)
            if cell.name not in tests:
                yield Finding(path, cell.line, "E004", f"no cell has `tests: {cell.name}`")
        elif cell.kind == "tests" and not cell.native and cell.name not in solutions:
            yield Finding(path, cell.line, "E004", f"no cell before has `solution: {cell.name}`")


def _lost_cells(path: Path, text: str, cells: tuple[SourceCell, ...]) -> Iterator[Finding]:
    """MyST drops a text cell without text, and its mark with it."""
    kept = {cell.line for cell in cells}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("+++") and '"written"' in line and number not in kept:
            yield Finding(path, number, "E002", "a written cell has a text: the model answer")


def _cell_ids(cells: tuple[SourceCell, ...]) -> Iterator[str]:
    """Yield an id for each cell that stays the same while the cell does, wherever it moves."""
    seen = Counter[str]()
    for cell in cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        base = cell.grade_id[:60] or digest
        seen[base] += 1
        yield base if seen[base] == 1 else f"{base}-{seen[base]}"
