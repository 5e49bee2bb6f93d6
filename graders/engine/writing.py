"""Brings results to where they belong: files safe on disk, then the gradebook, then the files in their place.

In this order, whoever is killed leaves either no folder in `autograded/`, which the next run grades again to
the same rows, or one whose scores are in the gradebook.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from course.errors import CourseError
from graders.engine.config import AssignmentLayout
from graders.engine.content import CourseContent
from graders.engine.gradebook import Finished, First, Gradebook
from graders.engine.hooks import Hook, no_hook
from graders.engine.placement import Result, put_in_place, stage
from graders.engine.plan import AssignmentPlan
from graders.engine.results import Remark

_log = logging.getLogger("spoc.engine")


@dataclass(frozen=True, slots=True)
class Written:
    """A result that was brought to its place; `problem` says why one was not."""

    finished: Finished
    problem: str = ""
    remarks: tuple[Remark, ...] = ()


@dataclass(slots=True)
class _Item:
    finished: Finished
    results: tuple[Result, ...] = ()
    staged: tuple[Path, ...] = ()
    problem: str = ""
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultWriter:
    """Writes results of one assignment.

    Args:
        layout: Where they go.
        gradebook: Of the course.
        plan: How the assignment is graded.
        places_submissions: Whether what was submitted is to be put into the course directory as well.
        first: What is to be done to the gradebook before, in the same transaction.
        after: Called when a result is in its place.
    """

    layout: AssignmentLayout
    gradebook: Gradebook
    plan: AssignmentPlan
    places_submissions: bool = False
    first: First = lambda _session: None
    after: Hook = no_hook

    def write(self, finished: Sequence[Finished]) -> tuple[Written, ...]:
        """Write results; what fails of one is told and touches no other."""
        items = [_Item(each) for each in finished]
        for item in items:
            self._stage(item)
        self._record([item for item in items if not item.problem])
        for item in items:
            self._put(item)
        return tuple(Written(item.finished, item.problem, item.remarks) for item in items)

    def _stage(self, item: _Item) -> None:
        if item.finished.result.is_graded:
            try:
                item.results = self._results(item.finished)
                item.staged = stage(self.layout.root, item.results)
            except CourseError as error:
                item.problem = str(error)

    def _results(self, finished: Finished) -> tuple[Result, ...]:
        content = finished.content
        graded = {f"{notebook.name}.ipynb": notebook.graded for notebook in finished.result.notebooks}
        others = CourseContent(self.layout, self.plan).graded_others(content.student)
        kept = {f"{name}.ipynb": notebook for name, notebook in others.items()}
        files = {**self.plan.beside_notebooks(content.files), **kept, **graded}
        results = [self._folder(self.layout.autograded(content.student), files)]
        if self.places_submissions:
            results.append(self._folder(self.layout.submitted(content.student), content.files))
        return tuple(results)

    def _folder(self, target: Path, files: Mapping[str, bytes]) -> Result:
        return Result(
            target=target,
            files=files,
            permissions=self.plan.permissions,
            group_writes=self.plan.group_writes,
        )

    def _record(self, items: Sequence[_Item]) -> None:
        """Record scores, of all at once; of each alone if one of them cannot be recorded."""
        try:
            remarks = self.gradebook.write(self.plan, [item.finished for item in items], self.first)
        except (SQLAlchemyError, LookupError) as error:
            if len(items) > 1:
                for item in items:
                    self._record([item])
                return
            _log.exception("scores could not be recorded")
            items[0].problem = f"The scores could not be recorded: {type(error).__name__}: {error}"
        else:
            for item in items:
                item.remarks = remarks[item.finished.content.student]

    def _put(self, item: _Item) -> None:
        if item.problem:
            return
        try:
            put_in_place(self.layout.root, item.staged, item.results)
        except CourseError as error:
            item.problem = str(error)
        else:
            if item.staged:
                item.remarks += self.after(item.finished.content.student)
