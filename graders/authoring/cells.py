"""What one cell of a source notebook is: the author's shorthand, its rules, its nbgrader metadata."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from nbformat import NotebookNode
from nbgrader.nbgraderformat import (
    SCHEMA_VERSION,
    MetadataValidator,
    SchemaTooNewError,
    SchemaTooOldError,
    ValidationError,
)

from graders.authoring.regions import HIDDEN_TESTS, REGIONS, SOLUTION, unpaired_marks

Kind = Literal["solution", "tests", "written", "quiz"]
Problem = tuple[str, str]
"""A finding's code and message; its place is the cell's."""


@dataclass(frozen=True, slots=True)
class KindRule:
    """What nbgrader makes of a kind of cell, and what the author says about it."""

    cell_type: str
    grade: bool
    solution: bool
    locked: bool
    companions: frozenset[str]
    regions: frozenset[str]


_MARKED = frozenset({"points", "skills"})
KINDS: Mapping[Kind, KindRule] = MappingProxyType(
    {
        "solution": KindRule("code", False, True, False, frozenset(), frozenset({SOLUTION})),
        "tests": KindRule("code", True, False, True, _MARKED, frozenset({HIDDEN_TESTS})),
        "written": KindRule("markdown", True, True, False, _MARKED, frozenset({SOLUTION})),
        "quiz": KindRule("code", True, False, True, frozenset(), frozenset()),
    }
)
_JUPYTER_KEYS = frozenset({"tags", "slideshow", "jupyter", "editable", "deletable", "name"})
_KNOWN_KEYS = frozenset(KINDS) | _MARKED | _JUPYTER_KEYS | {"nbgrader"}
_RUN_TAGS = frozenset({"skip-execution", "raises-exception"})
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME = 50


@dataclass(frozen=True, slots=True)
class SourceCell:
    """A cell as the author wrote it; `line` is where it begins in the file, from 1."""

    line: int
    cell_type: str
    source: str
    metadata: Mapping[str, Any]

    @property
    def native(self) -> bool:
        """The author wrote nbgrader's own metadata."""
        return "nbgrader" in self.metadata

    @property
    def kind(self) -> Kind | None:
        """What nbgrader will make of the cell; None for ordinary text and code."""
        if not self.native:
            return next((kind for kind in KINDS if kind in self.metadata), None)
        flags = self.metadata["nbgrader"]
        grade, solution = bool(flags.get("grade")), bool(flags.get("solution"))
        if grade and self.grade_id.startswith("quiz-"):
            return "quiz"
        if grade:
            return "written" if solution else "tests"
        return "solution" if solution else None

    @property
    def name(self) -> str:
        """The exercise that the cell belongs to, or the quiz it shows; empty for an ordinary cell."""
        return str(self.metadata[self.kind]) if self.kind and not self.native else ""

    @property
    def grade_id(self) -> str:
        """nbgrader's name of the cell; empty for an ordinary cell."""
        if self.native:
            return str(self.metadata["nbgrader"].get("grade_id", ""))
        affixes = {"tests": f"{self.name}-tests", "quiz": f"quiz-{self.name}"}
        return affixes.get(self.kind or "", self.name)

    @property
    def skills(self) -> tuple[str, ...]:
        """Ids of the skills that the cell assesses."""
        skills = self.metadata.get("skills", ())
        return tuple(map(str, skills)) if isinstance(skills, list) else ()


def nbgrader_metadata(cell: SourceCell, quiz_points: float) -> dict[str, Any]:
    """Return the metadata that the cell has in the built notebook; its own where it is an ordinary cell."""
    kept = {key: value for key, value in cell.metadata.items() if key in _JUPYTER_KEYS | {"nbgrader"}}
    if cell.skills:
        kept["spoc"] = {"skills": list(cell.skills)}
    if cell.native or cell.kind is None:
        return kept
    rule = KINDS[cell.kind]
    flags: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "grade_id": cell.grade_id,
        "grade": rule.grade,
        "solution": rule.solution,
        "locked": rule.locked,
        "task": False,
    }
    if rule.grade:
        flags["points"] = quiz_points if cell.kind == "quiz" else cell.metadata["points"]
    return kept | {"nbgrader": flags}


def cell_problems(cell: SourceCell) -> Iterator[Problem]:
    """Yield everything that is wrong with one cell by itself."""
    yield from _key_problems(cell)
    if cell.native:
        yield from _native_problems(cell)
    elif cell.kind:
        yield from _shorthand_problems(cell, cell.kind)
    yield from _region_problems(cell)
    tags = cell.metadata.get("tags", [])
    for tag in sorted(_RUN_TAGS.intersection(tags if isinstance(tags, list) else [])):
        if cell.kind:
            yield "E012", f"the tag {tag} on {cell.grade_id} would change its mark"


def _key_problems(cell: SourceCell) -> Iterator[Problem]:
    for key in cell.metadata:
        if key not in _KNOWN_KEYS:
            near = difflib.get_close_matches(key, _KNOWN_KEYS, n=1)
            yield "E002", f"{key} is not a known key" + (f"; did you mean {near[0]}?" if near else "")
    kinds = [key for key in (*KINDS, "nbgrader") if key in cell.metadata]
    if len(kinds) > 1:
        yield "E002", f"a cell is one thing, this one is: {', '.join(kinds)}"
    if not kinds and (stray := sorted(_MARKED & cell.metadata.keys())):
        yield "E002", f"{' and '.join(stray)} belong to a tests or a written cell"


def _shorthand_problems(cell: SourceCell, kind: Kind) -> Iterator[Problem]:
    rule = KINDS[kind]
    if cell.cell_type != rule.cell_type:
        yield "E002", f"{kind} belongs to a {rule.cell_type} cell, this is a {cell.cell_type} cell"
    if not _NAME.fullmatch(cell.name) or len(cell.name) > _LONGEST_NAME:
        yield (
            "E003",
            f"{cell.name!r} must be lower-case words and digits joined by hyphens, at most {_LONGEST_NAME}",
        )
    for key in sorted((_MARKED - rule.companions) & cell.metadata.keys()):
        yield "E002", f"a {kind} cell has no {key}"
    points = cell.metadata.get("points")
    if "points" in rule.companions and (
        not isinstance(points, int | float) or isinstance(points, bool) or not 0 < points < 1000
    ):
        yield "E005", f"{cell.grade_id} needs points, a number above 0, not {points!r}"
    if "skills" in cell.metadata and not cell.skills:
        yield "E002", "skills must be a list of skill ids"


def _native_problems(cell: SourceCell) -> Iterator[Problem]:
    notebook_cell = NotebookNode(
        cell_type=cell.cell_type, source=cell.source, metadata={"nbgrader": dict(cell.metadata["nbgrader"])}
    )
    try:
        MetadataValidator().validate_cell(notebook_cell)
    except (ValidationError, SchemaTooOldError, SchemaTooNewError) as error:
        yield "E002", f"nbgrader refuses its metadata: {str(error).splitlines()[0]}"


def _region_problems(cell: SourceCell) -> Iterator[Problem]:
    for problem in unpaired_marks(cell.source):
        yield "E006", problem
    allowed = KINDS[cell.kind].regions if cell.kind else frozenset()
    place = f"a {cell.kind}" if cell.kind else "an ordinary"
    for region in () if cell.native else REGIONS:
        if region not in allowed and f"BEGIN {region}" in cell.source:
            yield "E006", f"{place} cell has no {region} region"
