"""Grades one submission: content in, grades and notebooks out. No path, no database, no working folder."""

from __future__ import annotations

from functools import partial
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.notebooknode import from_dict
from nbgrader.utils import is_grade, is_locked, is_task

from course.archive import shown
from course.language import translator
from graders.engine.archive import tar_of
from graders.engine.marks import unchanged_cells
from graders.engine.plan import AssignmentPlan, PlannedNotebook, visible_part
from graders.engine.results import GradedNotebook, GradedSubmission, Remark, SubmissionContent
from graders.engine.scores import cell_comments, cell_grades, test_remarks, write_quiz_points
from graders.engine.steps import StepFailed, call
from graders.execution.kernel import execute_in_kernel
from graders.execution.results import ExecutedNotebook
from graders.execution.run import execute_notebook
from graders.execution.shared_state import test_of
from graders.feedback_message import note_results
from graders.forkserver.client import ForkClient
from graders.referee.trial import Referee
from graders.repair.notebook import Repaired, repair
from graders.repair.report import Unreadable
from graders.trainer_copy import disarm

_SHOWN_PROBLEMS = 10
_OUT_OF_PLACE = "{name} is left out: the assignment has a folder where it is a file, or the reverse."
_STOPPED = {
    "signal": "The kernel stopped working; what came after was not run.",
    "time": "The notebook ran too long and was stopped.",
    "memory": "The notebook needed more memory than there is for it; what came after was not run.",
    "output": "The notebook wrote more output than is kept.",
}


def grade_submission(
    plan: AssignmentPlan, content: SubmissionContent, warm: ForkClient, *, is_shown: bool = True
) -> GradedSubmission:
    """Return what a submission gets.

    Args:
        plan: How the assignment is graded.
        content: What was submitted.
        warm: Where processes for learner code come from.
        is_shown: Whether what its learner may see is wanted.

    Raises:
        InfrastructureFault: The platform failed; the submission can be graded later.
        SandboxUnavailable: This machine cannot isolate learner code.
    """
    names = [name for name in plan.notebooks if f"{name}.ipynb" in content.files]
    refused = partial(GradedSubmission, student=content.student, is_sandboxed=warm.sandboxed)
    if problems := _refused_notebooks(plan, content):
        return refused(problem="\n".join(problems), remarks=content.remarks)
    if not names:
        others = {f"{name}.ipynb" for name in plan.others}
        is_empty = not any(name.endswith(".ipynb") and name not in others for name in content.files)
        problem = _nothing_submitted(plan, content)
        return refused(problem=problem, is_empty=is_empty, remarks=content.remarks)
    grading = _Grading(plan, content, warm, is_shown=is_shown)
    try:
        repaired = {name: grading.repaired(name) for name in names}
        if grading.unreadable:
            return refused(problem="\n".join(grading.unreadable), remarks=content.remarks)
        notebooks = tuple(
            grading.graded(plan.notebooks[name], notebook) for name, notebook in repaired.items() if notebook
        )
    except StepFailed as failed:
        return refused(fault=str(failed), remarks=(*content.remarks, Remark("step", str(failed))))
    return GradedSubmission(
        student=content.student,
        notebooks=notebooks,
        missing=tuple(name for name in plan.notebooks if name not in names),
        is_sandboxed=warm.sandboxed,
        remarks=(*content.remarks, *grading.remarks),
    )


def run_notebook(
    plan: AssignmentPlan, planned: PlannedNotebook, notebook: NotebookNode, files: bytes, warm: ForkClient
) -> ExecutedNotebook:
    """Return a repaired notebook run, with its tests judged where the plan says.

    Raises:
        InfrastructureFault: The platform failed.
    """
    if planned.kernel:
        return execute_in_kernel(notebook, planned.tests, files, planned.kernel, plan.limits)
    referee = None
    if any(test.trust == "referee" for test in planned.tests.values()):
        referee = partial(Referee, warm, plan.limits, planned.instructor)
    return execute_notebook(notebook, planned.tests, files, warm, plan.limits, referee)


class _Grading:
    """One submission on its way."""

    def __init__(
        self, plan: AssignmentPlan, content: SubmissionContent, warm: ForkClient, *, is_shown: bool
    ) -> None:
        self.plan = plan
        self.content = content
        self.warm = warm
        self.is_shown = is_shown
        self.remarks = [
            Remark("files", _OUT_OF_PLACE.format(name=shown(name)))
            for name in sorted(plan.out_of_place(content.files))
        ]
        self.unreadable: list[str] = []
        self._files = tar_of(plan.beside_notebooks(content.files))

    def repaired(self, name: str) -> NotebookNode | None:
        """Return a notebook fit to be run; None if nothing can be made of it, which is then told."""
        file, source = f"{name}.ipynb", self.plan.notebooks[name].source
        try:
            done = repair(self.content.files[file], source, file)
            steps = self.plan.steps.before_repair
            if steps:
                # They work on a whole notebook, and what they do to the author's cells does not last.
                changed = call(steps, self.plan.config, done.notebook, self._resources(name))
                done = Repaired(repair(_written(changed), source, file).notebook, done.repairs)
        except Unreadable as unreadable:
            self.unreadable.append(unreadable.told(self.content.language))
            return None
        self.remarks += [Remark("repair", each.text, name, each.cell) for each in done.repairs]
        return done.notebook

    def graded(self, planned: PlannedNotebook, notebook: NotebookNode) -> GradedNotebook:
        """Return a notebook run and graded.

        Raises:
            StepFailed: A step of the course's own raised something.
            InfrastructureFault: The platform failed.
        """
        plan, steps, name = self.plan, self.plan.steps, planned.name
        resources = self._resources(name)
        before = (*steps.after_repair, *steps.before_run)
        notebook = call(before, plan.config, notebook, resources)
        run = run_notebook(plan, planned, notebook, self._files, self.warm)
        kept = self._count_quiz(run.graded, run.seen)
        graded = call(steps.after_run, plan.config, run.graded, resources)
        if plan.steps.own_rules:
            shown = from_dict(graded)
            disarm(shown)
            unchanged = unchanged_cells(self.content.graded_before.get(name), shown)
        else:
            shown, unchanged = graded, frozenset()
        grades = tuple(cell_grades(graded, kept, unchanged, planned.forgeable))
        comments = tuple(cell_comments(graded))
        self.remarks += test_remarks(name, run.tests, planned.forgeable)
        if run.status in _STOPPED:
            self.remarks.append(Remark("stopped", _STOPPED[run.status], name))
        return GradedNotebook(
            name=name,
            graded=_written(call(steps.after_scores, plan.config, shown, resources)),
            seen=_written(self._as_seen(run, planned)) if self.is_shown else b"",
            grades=grades,
            comments=comments,
            status=run.status,
            tests=run.tests,
            phases=run.phases,
        )

    def _count_quiz(self, *notebooks: NotebookNode) -> str:
        """Write quiz points into notebooks; return the cell whose points stay those of the gradebook."""
        if not self.plan.quiz_cell or self.content.quiz_points is None:
            return self.plan.quiz_cell
        for notebook in notebooks:
            write_quiz_points(notebook, self.plan.quiz_cell, self.content.quiz_points)
        return ""

    def _as_seen(self, run: ExecutedNotebook, planned: PlannedNotebook) -> NotebookNode:
        note_results(run.seen, run.tests)
        for cell in run.seen.cells:
            if (test := test_of(cell, planned.tests)) is not None:
                cell.source = test.visible
            elif is_grade(cell) or is_locked(cell) or is_task(cell):
                cell.source = visible_part(cell.source, self.plan.config)
        return call(self.plan.steps.on_seen, self.plan.config, run.seen, self._resources(planned.name))

    def _resources(self, name: str) -> dict[str, Any]:
        """Return what nbgrader tells its steps about a notebook."""
        place = {
            "student": self.content.student,
            "assignment": self.plan.assignment,
            "notebook": name,
            "db_url": self.plan.db_url,
        }
        return {
            "unique_key": name,
            "output_files_dir": f"{name}_files",
            "metadata": {"name": name},
            "nbgrader": place,
        }


def _refused_notebooks(plan: AssignmentPlan, content: SubmissionContent) -> list[str]:
    """Return why notebooks that were submitted are not used: that is no reason to count them as missing."""
    missing = {shown(f"{name}.ipynb") for name in plan.notebooks if f"{name}.ipynb" not in content.files}
    # Of too many files not all were looked at: a notebook may be among the others.
    return [
        problem.told(content.language)
        for problem in content.left_out
        if problem.name in missing or (missing and problem.kind == "count")
    ][:_SHOWN_PROBLEMS]


def _nothing_submitted(plan: AssignmentPlan, content: SubmissionContent) -> str:
    translate = translator("exchange", content.language)
    names = ", ".join(sorted(f"{name}.ipynb" for name in plan.notebooks))
    problem = translate("None of the assignment's notebooks was in the submission: {names}.").format(
        names=names
    )
    return f"{problem}\n{translate('Keep their names, and submit the folder of the assignment.')}"


def _written(notebook: NotebookNode) -> bytes:
    return (nbformat.v4.writes(notebook) + "\n").encode()
