"""Grades an ordinary nbgrader course directory: `spoc grade run --course-dir`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import sleep

from course.errors import NotFound
from graders.engine.batch import Batch, Line, Report
from graders.engine.config import AssignmentLayout, course_directory, read_config
from graders.engine.content import CourseContent
from graders.engine.gradebook import Gradebook
from graders.engine.locks import SubmissionLocks
from graders.engine.plan import AssignmentPlan, read_plan
from graders.engine.pool import Pool
from graders.engine.results import GradedSubmission, SubmissionContent
from graders.engine.submission import grade_submission
from graders.engine.trust import TrustMode, trusted
from graders.engine.warm import environment_of
from graders.engine.writing import ResultWriter
from graders.execution.status import InfrastructureFault
from graders.forkserver.client import ForkClient
from graders.forkserver.parent import WarmParent

_PAUSES = (0.2, 1.0)
"""Seconds before a submission is graded once more that the platform failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the command line says.

    Args:
        students: Whose submissions; empty for everybody's.
        jobs: Processes that grade; one for each CPU if None.
        trust: Where tests are run.
        force: Whether what is graded is graded again.
        scheduler: Address of a Dask scheduler whose workers grade instead of processes of this machine.
        unsafe_no_sandbox: Whether learner code is run without any wall.
    """

    students: tuple[str, ...] = ()
    jobs: int | None = None
    trust: TrustMode = "auto"
    force: bool = False
    scheduler: str | None = None
    unsafe_no_sandbox: bool = False


def grade_course(
    course_dir: Path,
    assignment: str,
    choices: Choices,
    begin: Callable[[int], None] = lambda _count: None,
    tell: Callable[[Line | None], None] = lambda _line: None,
) -> Report:
    """Grade what was submitted for an assignment.

    Args:
        course_dir: An nbgrader course directory.
        assignment: Its name.
        choices: How.
        begin: Called with the number of submissions.
        tell: Called with each line of the report, with None for who is skipped.

    Raises:
        NotFound: There is no such assignment, or nobody has submitted anything for it.
        SandboxUnavailable: This machine cannot isolate learner code.
    """
    config = read_config(course_dir)
    coursedir = course_directory(course_dir, config)
    layout = AssignmentLayout(coursedir, assignment)
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        with gradebook.reading() as session:
            plan = read_plan(coursedir, assignment, config, session)
        students = chosen_students(layout, choices.students)
        environment = environment_of(plan)
        with (
            SubmissionLocks(layout.root) as locks,
            WarmParent(environment, unsafe_no_sandbox=choices.unsafe_no_sandbox) as warm,
        ):
            plan = trusted(plan, choices.trust, environment, warm, layout.root)
            grade = partial(grade_patiently, plan, warm=warm)
            with Pool[SubmissionContent, GradedSubmission](
                grade, choices.jobs or os.cpu_count() or 1
            ) as pool:
                writer = ResultWriter(layout=layout, gradebook=gradebook, plan=plan)
                begin(len(students))
                batch = Batch(plan, CourseContent(layout, plan), writer, pool, locks, tell)
                return batch.run(students, force=choices.force)


def chosen_students(layout: AssignmentLayout, students: Sequence[str]) -> tuple[str, ...]:
    """Return whose submissions there are, of `students` or of everybody.

    Raises:
        NotFound: There is none.
    """
    submitted = layout.students()
    missing = [student for student in students if student not in submitted]
    if missing or not submitted:
        whose = ", ".join(missing) or "Nobody"
        raise NotFound(f"{whose} has submitted nothing for {layout.assignment!r}.")
    return tuple(student for student in submitted if not students or student in students)


def grade_patiently(plan: AssignmentPlan, content: SubmissionContent, warm: ForkClient) -> GradedSubmission:
    """Return what a submission gets; what the platform fails is tried again."""
    for pause in _PAUSES:
        try:
            return grade_submission(plan, content, warm)
        except InfrastructureFault:
            sleep(pause)
    try:
        return grade_submission(plan, content, warm)
    except InfrastructureFault as fault:
        return GradedSubmission(student=content.student, fault=str(fault), remarks=content.remarks)
