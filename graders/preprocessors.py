"""The steps that this project adds to nbgrader's autograding, and the function that puts them in place."""

from __future__ import annotations

from time import monotonic
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    Execute,
    IgnorePattern,
    LimitOutput,
    NbGraderPreprocessor,
    OverwriteCells,
    OverwriteKernelspec,
)
from nbgrader.utils import determine_grade, is_grade
from traitlets import Float, Int
from traitlets.config import Config

from course.scores import quiz_cell
from graders.marks import SaveScores
from graders.sandbox.provisioner import GradedKernelManager

KERNEL_DIED = "KernelDied"
OUT_OF_TIME = "OutOfTime"
NOT_RUN = "NotRun"
NO_RESULT = "NoResult"

# A kernel that is not itself any more can send anything; what does not read as a message is its fault too.
_KERNEL_FAULTS = (DeadKernelError, CellTimeoutError, RecursionError, KeyError, ValueError)
_OUTPUT_MESSAGES = {"stream", "display_data", "execute_result", "error", "update_display_data"}
_TRUNCATED = "\n... Output truncated ...\n"


def configure(c: Config) -> None:
    """Make `nbgrader autograde` with configuration `c` run kernels in the sandbox and count quiz points."""
    c.Autograde.sanitize_preprocessors = [
        ClearOutput,
        RemoveRunTags,
        DisownCopies,
        OverwriteKernelspec,
        OverwriteCells,
        CheckCellMetadata,
    ]
    c.Autograde.autograde_preprocessors = [
        SandboxedExecute,
        QuizPoints,
        IgnorePattern,
        ClearMetadataPreprocessor,
        LimitOutput,
        SaveScores,
        AssignLatePenalties,
        CheckCellMetadata,
    ]


class RemoveRunTags(NbGraderPreprocessor):
    """Takes away the tags by which a submitted notebook could change how its cells are run.

    A test cell that is skipped has no error, and without an error nbgrader gives full points.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], _index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        cell.metadata.pop("tags", None)
        return cell, resources


class DisownCopies(DeduplicateIds):
    """Makes ordinary cells of copied graded cells; the last one counts.

    nbgrader leaves them empty metadata, which its own check then refuses with the whole notebook.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        cell, resources = super().preprocess_cell(cell, resources, index)
        if cell.metadata.get("nbgrader") == {}:
            del cell.metadata["nbgrader"]
        return cell, resources


class SandboxedExecute(Execute):
    """Runs a notebook in the graded kernel, for a bounded time and with bounded output.

    Once the kernel is dead or time is up, every cell that follows gets an error: no test passes unrun.
    """

    cell_seconds = Int(30, help="Time for one cell.").tag(config=True)
    notebook_seconds = Int(150, help="Time for all cells of one notebook.").tag(config=True)
    cell_output_bytes = Int(1_000_000, help="Output kept of one cell.").tag(config=True)
    cell_outputs = Int(200, help="Number of outputs kept of one cell.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "kernel_manager_class": GradedKernelManager})
        self.timeout_func = self._seconds_left
        self.skip_cells_with_tag = ""
        self.store_widget_state = False
        stopped = "The cell ran too long and was stopped."
        self.error_on_timeout = {
            "ename": OUT_OF_TIME,
            "evalue": stopped,
            "traceback": [f"{OUT_OF_TIME}: {stopped}"],
        }

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        self._deadline = monotonic() + self.notebook_seconds
        self._over = ""
        self._kept_bytes = 0
        return super().preprocess(nb, resources, km=km)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        if cell.cell_type != "code" or not cell.source.strip():
            return cell, resources
        self._kept_bytes = 0
        if not self._over and monotonic() >= self._deadline:
            self._over = f"The notebook took longer than {self.notebook_seconds} seconds."
        if self._over:
            cell.outputs = []
            _put_error_first(cell, NOT_RUN, f"Not run. {self._over}")
            return cell, resources
        try:
            cell, resources = super().preprocess_cell(cell, resources, index)
        except _KERNEL_FAULTS as fault:
            self._give_up(cell, fault)
        if is_grade(cell):
            # nbgrader believes the first error or result that it meets.
            cell.outputs.sort(key=lambda output: output.output_type != "error")
            _refuse_false_points(cell)
        return cell, resources

    def _give_up(self, cell: NotebookNode, fault: Exception) -> None:
        if isinstance(fault, CellTimeoutError):
            name, self._over = OUT_OF_TIME, "The cell ran too long and could not be interrupted."
        else:
            name, self._over = KERNEL_DIED, "The kernel stopped working in the middle of a cell."
        self.log.warning("%s: %s", name, str(fault)[:500])
        _put_error_first(cell, name, self._over)

    def _seconds_left(self, _cell: NotebookNode) -> int:
        return max(1, min(self.cell_seconds, round(self._deadline - monotonic())))

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Keep outputs up to the limits, and nothing of widgets."""
        kind = msg["msg_type"]
        if kind.startswith("comm"):
            return None
        if kind in _OUTPUT_MESSAGES:
            before, self._kept_bytes = self._kept_bytes, self._kept_bytes + _weight(msg["content"])
            if self._kept_bytes > self.cell_output_bytes or len(cell.outputs) >= self.cell_outputs:
                if before <= self.cell_output_bytes:
                    self._kept_bytes = self.cell_output_bytes + 1
                    cell.outputs.append(new_output("stream", name="stdout", text=_TRUNCATED))
                return None
        return super().process_message(msg, cell, cell_index)


class QuizPoints(NbGraderPreprocessor):
    """Writes the points of a quiz as the output of its cell, for nbgrader to take as partial credit.

    The number comes from the event record and never passes through the learner's kernel. Plain `nbgrader
    autograde` knows no record: the points that the gradebook holds already stay.
    """

    points = Float(None, allow_none=True, help="Points in the quiz of the assignment.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        name = quiz_cell(resources["nbgrader"]["assignment"])
        for cell in nb.cells:
            if is_grade(cell) and cell.metadata.nbgrader.grade_id == name:
                points = self._kept(name, resources["nbgrader"]) if self.points is None else self.points
                points = min(max(0.0, points), float(cell.metadata.nbgrader.points))
                cell.outputs = [new_output("execute_result", {"text/plain": repr(points)})]
        return nb, resources

    def _kept(self, name: str, place: dict[str, Any]) -> float:
        with Gradebook(place["db_url"]) as gradebook:
            try:
                grade = gradebook.find_grade(name, place["notebook"], place["assignment"], place["student"])
            except MissingEntry:
                return 0.0
            return grade.auto_score or 0.0


def _put_error_first(cell: NotebookNode, name: str, message: str) -> None:
    error = new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])
    cell.outputs = [error, *cell.get("outputs", [])]


def _refuse_false_points(cell: NotebookNode) -> None:
    """Fail a cell whose result nbgrader cannot take for points; it would not grade the notebook at all."""
    try:
        determine_grade(cell)
    except (LookupError, TypeError, ValueError):
        _put_error_first(cell, NO_RESULT, "The result of the cell is not a number of points it can give.")


def _weight(content: Any) -> int:
    """Return about how many bytes a message's content takes."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict):
        return sum(map(_weight, content.values())) + 16 * len(content)
    if isinstance(content, list):
        return sum(map(_weight, content)) + 8 * len(content)
    return 8
