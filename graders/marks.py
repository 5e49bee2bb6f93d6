"""Saves automatic scores and keeps the marks that a person gave for work that has not changed since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import SaveAutoGrades
from nbgrader.utils import is_solution
from traitlets import Unicode

from graders.trainer_copy import disarm


class SaveScores(SaveAutoGrades):
    """Leaves a mark settled where the trainer would read the same again; nbgrader asks for each once more.

    Where the work changed, the mark stays as well, but waits for the trainer.
    """

    marked_dir = Unicode(help="Folder of the notebooks as they were graded last.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        marked = self._marked(resources["nbgrader"]["notebook"])
        self._unchanged = _unchanged(marked, nb) if marked is not None else set()
        return super().preprocess(nb, resources)

    def _marked(self, name: str) -> NotebookNode | None:
        path = Path(self.marked_dir, f"{name}.ipynb")
        if not self.marked_dir or not path.is_file():
            return None
        try:
            return nbformat.read(path, as_version=4)
        # Trainers can write it, and nbformat raises whatever its input makes it stumble over.
        except Exception:
            self.log.warning("%s cannot be read; marks wait for the trainer", path, exc_info=True)
            return None

    def _add_score(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        place = (self.notebook_id, self.assignment_id, self.student_id)
        grade = self.gradebook.find_grade(cell.metadata.nbgrader.grade_id, *place)
        is_settled = grade.manual_score is not None and not grade.needs_manual_grade
        super()._add_score(cell, resources)
        if is_settled and cell.metadata.nbgrader.grade_id in self._unchanged:
            grade.needs_manual_grade = False
            self.gradebook.db.commit()


def _unchanged(before: NotebookNode, now: NotebookNode) -> set[str]:
    """Return the cells about whose work a trainer reads the same in both notebooks.

    A written answer is its own cell; what tests are about may stand anywhere in the notebook.
    """
    shown = nbformat.from_dict(now)
    disarm(shown)
    same_everywhere = [cell.source for cell in before.cells] == [cell.source for cell in shown.cells]
    answers = {_name(cell): cell.source for cell in before.cells if is_solution(cell)}
    return {
        _name(cell)
        for cell in shown.cells
        if same_everywhere or (is_solution(cell) and answers.get(_name(cell)) == cell.source)
    }


def _name(cell: NotebookNode) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
