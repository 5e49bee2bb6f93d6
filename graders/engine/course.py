"""Grades an ordinary nbgrader course directory: `spoc grade run --course-dir`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from nbgrader.api import Student
from sqlalchemy.exc import DatabaseError
from traitlets import TraitError

from course.errors import CourseError, NotFound
from graders.engine.attempts import grade_patiently
from graders.engine.batch import Batch, Graders, Line, Report, Writer
from graders.engine.config import AssignmentLayout, course_directory, existing_gradebook, read_config
from graders.engine.content import CourseContent
from graders.engine.early import EarlyStart
from graders.engine.gradebook import Gradebook
from graders.engine.hooks import Hook, no_hook, read_hooks
from graders.engine.locks import SubmissionLocks
from graders.engine.plan import AssignmentPlan, read_plan
from graders.engine.pool import Pool
from graders.engine.results import GradedSubmission, SubmissionContent
from graders.engine.trust import TrustMode, trusted
from graders.engine.warm import environment_of
from graders.engine.writing import ResultWriter
from graders.forkserver.client import ForkClient
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent

_STRANGER = "{} is no student of the gradebook, and Autograde.create_student = False lets nobody be added."


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the command line says.

    Args:
        students: Whose submissions, by name or pattern; empty for everybody's.
        notebook: Which notebooks, by pattern; those of the configuration if None.
        jobs: Processes that grade; one for each CPU if None.
        trust: Where tests are run.
        force: Whether what is graded is graded again.
        scheduler: Address of a Dask scheduler whose workers grade instead of processes of this machine.
        unsafe_no_sandbox: Whether learner code is run without any wall.
    """

    students: tuple[str, ...] = ()
    notebook: str | None = None
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
    early: EarlyStart | None = None,
) -> Report:
    """Grade what was submitted for an assignment.

    Args:
        course_dir: An nbgrader course directory.
        assignment: Its name.
        choices: How.
        begin: Called with the number of submissions.
        tell: Called with each line of the report, with None for who is skipped.
        early: A fork server that has been started for it already.

    Raises:
        NotFound: There is no such assignment or notebook, or nobody has submitted anything for it.
        SandboxUnavailable: This machine cannot isolate learner code.
    """
    with open_course(course_dir, assignment) as grading:
        chosen = grading.only(choices.notebook)
        before, after = read_hooks(chosen.layout, chosen.plan.config)
        writer = replace(chosen.writer(), after=after)
        return chosen.grade(choices, writer, begin, tell, before, early)


@contextmanager
def open_course(course_dir: Path, assignment: str) -> Iterator[CourseGrading]:
    """Give an assignment of a course directory, ready to be graded.

    Raises:
        NotFound: There is no such assignment.
        CourseError: The gradebook cannot be read.
    """
    config = read_config(course_dir)
    with ExitStack() as stack:
        with told_as_faults_of_the_course():
            coursedir = course_directory(course_dir, config)
            gradebook = stack.enter_context(Gradebook(existing_gradebook(coursedir), coursedir.course_id))
            with gradebook.reading() as session:
                plan = read_plan(coursedir, assignment, config, session)
        yield CourseGrading(AssignmentLayout(coursedir, assignment), gradebook, plan)


@contextmanager
def told_as_faults_of_the_course() -> Iterator[None]:
    """Raise `CourseError` for settings that cannot be used, and a gradebook that cannot be read."""
    try:
        yield
    except TraitError as error:
        raise CourseError(f"A setting of nbgrader_config.py cannot be used: {error}") from error
    except DatabaseError as error:
        raise CourseError(
            f"The gradebook cannot be read: {error.orig}",
            "If nbgrader was upgraded: back up the gradebook, then run: nbgrader db upgrade",
        ) from error


@dataclass(slots=True)
class CourseGrading:
    """An assignment of a course directory: where it is, and how it is graded."""

    layout: AssignmentLayout
    gradebook: Gradebook
    plan: AssignmentPlan

    def only(self, pattern: str | None) -> CourseGrading:
        """Return the grading of the notebooks that match a pattern, or else that of the configuration.

        Raises:
            NotFound: There is none.
        """
        return replace(self, plan=self.plan.only(pattern or self.layout.coursedir.notebook_id))

    def writer(self) -> ResultWriter:
        return ResultWriter(layout=self.layout, gradebook=self.gradebook, plan=self.plan)

    def grade(
        self,
        choices: Choices,
        writer: Writer,
        begin: Callable[[int], None],
        tell: Callable[[Line | None], None],
        before: Hook = no_hook,
        early: EarlyStart | None = None,
    ) -> Report:
        """Grade what was submitted; see `grade_course`. `before` is called before a submission is read."""
        students = chosen_students(self.layout, choices.students)
        strangers = self._strangers(students)
        environment = environment_of(self.plan)
        root = self.layout.root
        with (
            SubmissionLocks(root) as locks,
            _warm_parent(environment, choices, early) as warm,
        ):
            plan = trusted(self.plan, choices.trust, environment, warm, root)
            with _graders(choices, plan, environment, warm, root) as graders:
                begin(len(students))
                content = CourseContent(self.layout, plan, before)
                batch = Batch(plan, content, writer, graders, locks, tell)
                for student in strangers:
                    batch.refuse(student, _STRANGER.format(student))
                report = batch.run([each for each in students if each not in strangers], force=choices.force)
                report.excluded = sorted(self.layout.excluded.intersection(self.layout.students()))
                return report

    def _strangers(self, students: Sequence[str]) -> list[str]:
        """Return who is no student of the gradebook, where the configuration lets it get no new ones."""
        if self.plan.adds_students:
            return []
        with self.gradebook.reading() as session:
            return [student for student in students if session.get(Student, student) is None]


def _warm_parent(environment: WarmEnvironment, choices: Choices, early: EarlyStart | None) -> WarmParent:
    if early is None:
        return WarmParent(environment, unsafe_no_sandbox=choices.unsafe_no_sandbox)
    return early.warm_for(environment)


@contextmanager
def _graders(
    choices: Choices, plan: AssignmentPlan, environment: WarmEnvironment, warm: ForkClient, root: Path
) -> Iterator[Graders]:
    if choices.scheduler is None:
        grade = partial(grade_patiently, plan, warm=warm, is_shown=False)
        size = choices.jobs or len(os.sched_getaffinity(0))
        with Pool[SubmissionContent, GradedSubmission](grade, size, ahead=1) as pool:
            yield pool
        return
    try:
        from graders.engine.cluster import cluster_graders
    except ModuleNotFoundError as error:
        raise CourseError(
            f"--scheduler needs a package that is not installed: {error.name}.",
            "Install it: pip install 'jupyter-spoc[cluster]'",
        ) from error
    unsafe = choices.unsafe_no_sandbox
    with cluster_graders(choices.scheduler, plan, environment, root, unsafe_no_sandbox=unsafe) as graders:
        yield graders


def chosen_students(layout: AssignmentLayout, students: Sequence[str]) -> tuple[str, ...]:
    """Return whose submissions there are, of those whom names or patterns mean, or of everybody.

    Raises:
        NotFound: There is none.
    """
    submitted = layout.students()

    def meant(wanted: str) -> set[str]:
        return {student for student in submitted if student == wanted or fnmatchcase(student, wanted)}

    if not submitted:
        raise NotFound(f"Nobody has submitted anything for {layout.assignment!r}.")
    if missing := [wanted for wanted in students if not meant(wanted)]:
        raise NotFound(f"{', '.join(missing)} has submitted nothing for {layout.assignment!r}.")
    chosen = set[str]().union(*map(meant, students or submitted))
    return tuple(student for student in submitted if student in chosen - layout.excluded)
