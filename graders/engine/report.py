"""What a batch did, for a program to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from graders.engine.batch import Line, Report
from graders.engine.results import Remark

MOST_OF_A_KIND = 5
"""How many remarks of one kind are lines of a submission's; a learner may hand in thousands of files."""


def as_document(report: Report) -> dict[str, Any]:
    """Return the report as JSON can say it."""
    return {
        "assignment": report.assignment,
        "exit_code": report.exit_code,
        "graded": sum(not line.problem for line in report.lines),
        "failed": sum(bool(line.problem) for line in report.lines),
        "skipped": sorted(report.skipped),
        "excluded": report.excluded,
        "notes": list(report.notes),
        "seconds": round(report.seconds, 3),
        "phases": {name: round(seconds, 3) for name, seconds in sorted(report.phases.items())},
        "submissions": [asdict(line) for line in sorted(report.lines, key=_student)],
    }


def as_lines(report: Report) -> list[str]:
    """Return the report as lines of text: one for each submission, then what there is to say about it."""
    lines = [text for line in sorted(report.lines, key=_student) for text in _of_submission(line)]
    lines += [*report.notes, *_forgeable(report)]
    if report.skipped:
        lines.append(f"Graded before, not graded again without --force: {', '.join(sorted(report.skipped))}")
    if report.excluded:
        lines.append(f"Left out by CourseDirectory.student_id_exclude: {', '.join(report.excluded)}")
    graded = sum(not line.problem for line in report.lines)
    lines.append(f"{graded} of {len(report.lines)} submissions graded in {report.seconds:.1f} s.")
    return lines


def _of_submission(line: Line) -> list[str]:
    points = "not graded" if line.points is None else f"{line.points:g} of {line.max_points:g} points"
    unsafe = "" if line.is_sandboxed else "  (without a sandbox)"
    told = [part for text in (line.problem,) if text for part in text.splitlines()]
    told += _shortened([remark for remark in line.remarks if remark.kind != "forgeable"])
    return [f"{line.student}  {points}{unsafe}", *(f"    {text}" for text in told)]


def _shortened(remarks: Sequence[Remark]) -> Iterator[str]:
    """Yield the first remarks of each kind, and how many more there are."""
    for _, group in groupby(sorted(remarks, key=_kind), key=_kind):
        alike = list(group)
        for remark in alike[:MOST_OF_A_KIND]:
            place = "/".join(filter(None, (remark.notebook, remark.cell)))
            yield f"{place}: {remark.text}" if place else remark.text
        if len(alike) > MOST_OF_A_KIND:
            yield f"… and {len(alike) - MOST_OF_A_KIND} more of this kind; --json lists all."


def _forgeable(report: Report) -> list[str]:
    """Return which tests ran beside learner code: the same for everybody."""
    remarks = Counter(
        remark for line in report.lines for remark in line.remarks if remark.kind == "forgeable"
    )
    if not remarks:
        return []
    listed = [f"    {remark.notebook}/{remark.cell}: {remark.text}" for remark in sorted(remarks, key=_place)]
    return ["Learner code could have forged the results of these tests:", *listed]


def _student(line: Line) -> str:
    return line.student


def _kind(remark: Remark) -> str:
    return remark.kind


def _place(remark: Remark) -> tuple[str, str]:
    return remark.notebook, remark.cell
