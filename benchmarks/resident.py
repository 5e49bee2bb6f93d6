"""The engine as a service has it: plan read, libraries imported, grading processes there, gradebook open."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from graders.engine.attempts import grade_patiently
from graders.engine.batch import Batch, Report
from graders.engine.config import AssignmentLayout, course_directory, read_config
from graders.engine.content import CourseContent
from graders.engine.course import Choices
from graders.engine.gradebook import Gradebook
from graders.engine.locks import SubmissionLocks
from graders.engine.plan import AssignmentPlan, read_plan
from graders.engine.pool import Pool
from graders.engine.results import GradedSubmission, SubmissionContent
from graders.engine.trust import trusted
from graders.engine.warm import environment_of
from graders.engine.writing import ResultWriter
from graders.forkserver.parent import WarmParent


@dataclass(frozen=True)
class ResidentEngine:
    """Grades submissions of one assignment whenever it is asked."""

    plan: AssignmentPlan
    layout: AssignmentLayout
    gradebook: Gradebook
    locks: SubmissionLocks
    pool: Pool[SubmissionContent, GradedSubmission]

    def grade(self, students: Sequence[str]) -> Report:
        writer = ResultWriter(layout=self.layout, gradebook=self.gradebook, plan=self.plan)
        batch = Batch(self.plan, CourseContent(self.layout, self.plan), writer, self.pool, self.locks)
        report = batch.run(students, force=True)
        problems = [line.problem for line in report.lines if line.problem]
        if problems or len(report.lines) != len(students):
            raise RuntimeError(f"{len(report.lines)} of {len(students)} were graded: {problems}")
        return report


@contextmanager
def resident_engine(course: Path, assignment: str, choices: Choices) -> Iterator[ResidentEngine]:
    """Start the engine and grade one submission for each process, which is when they start."""
    config = read_config(course)
    coursedir = course_directory(course, config)
    layout = AssignmentLayout(coursedir, assignment)
    with ExitStack() as stack:
        gradebook = stack.enter_context(Gradebook(coursedir.db_url, coursedir.course_id))
        with gradebook.reading() as session:
            plan = read_plan(coursedir, assignment, config, session)
        locks = stack.enter_context(SubmissionLocks(layout.root))
        environment = environment_of(plan)
        warm = stack.enter_context(WarmParent(environment, unsafe_no_sandbox=choices.unsafe_no_sandbox))
        plan = trusted(plan, choices.trust, environment, warm, layout.root)
        jobs = choices.jobs or os.cpu_count() or 1
        pool = stack.enter_context(
            Pool[SubmissionContent, GradedSubmission](
                partial(grade_patiently, plan, warm=warm, is_shown=False), jobs, ahead=1
            )
        )
        engine = ResidentEngine(plan, layout, gradebook, locks, pool)
        engine.grade(layout.students()[:jobs])
        yield engine
