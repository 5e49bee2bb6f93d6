"""`spoc grade regrade`: submissions graded again by the tests that the source has now, all of them or none.

Everything is graded first; then one transaction changes the gradebook's cells and all scores. Who is killed
before has changed nothing; after, only notebooks in `autograded/` are old, and the next run renews them.
A rehearsal does the same on a copy of the gradebook and places no notebook.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbformat import NotebookNode

from course.errors import Conflict, CourseError
from graders.engine.attempts import grade_patiently
from graders.engine.config import AssignmentLayout, course_directory, existing_gradebook, read_config
from graders.engine.content import CourseContent
from graders.engine.course import Choices, chosen_students, told_as_faults_of_the_course
from graders.engine.gradebook import Finished, Gradebook, same_cells
from graders.engine.locks import SubmissionLocks
from graders.engine.outcome import LearnerOutcome, Regrade, compare, still_settled
from graders.engine.plan import AssignmentPlan, read_plan
from graders.engine.pool import Pool
from graders.engine.rehearsal import copied_gradebook
from graders.engine.results import GradedNotebook, GradedSubmission, SubmissionContent
from graders.engine.standing import Standing, read_standings
from graders.engine.trust import trusted
from graders.engine.version import newest_version, refuse_loss, take_over
from graders.engine.warm import environment_of
from graders.engine.writing import ResultWriter
from graders.forkserver.parent import WarmParent

_BUSY_SECONDS = 0.2
"""How often is looked whether another command has finished a submission."""
_GONE = "There is no submission of it any more. What it was given stays; a new test waits for a person."
_MEANWHILE = "It was submitted and graded while this went on. Run the command again."
_log = logging.getLogger("spoc.engine")

Read = Callable[[str], SubmissionContent]


@dataclass(frozen=True, slots=True)
class Regraded:
    """A regrade and what it rests on."""

    regrade: Regrade
    finished: tuple[Finished, ...]


def regrade_course(
    course_dir: Path,
    assignment: str,
    choices: Choices,
    *,
    is_rehearsal: bool,
    begin: Callable[[int], None] = lambda _count: None,
    tell: Callable[[None], None] = lambda _nothing: None,
) -> Regrade:
    """Grade all submissions of an assignment of a course directory by what its source says now.

    Args:
        course_dir: An nbgrader course directory.
        assignment: Its name.
        choices: Whose, and by how many processes.
        is_rehearsal: Change nothing, only tell.
        begin: Called with the number of submissions.
        tell: Called as each is graded.

    Raises:
        CourseError: The source cannot be released, or a cell with marks by hand is gone.
        NotFound: There is no such assignment, or nobody has submitted anything for it.
        SandboxUnavailable: This machine cannot isolate learner code.
    """
    config = read_config(course_dir)
    with ExitStack() as stack:
        with told_as_faults_of_the_course():
            coursedir = course_directory(course_dir, config)
            layout, url = AssignmentLayout(coursedir, assignment), existing_gradebook(coursedir)
            opened = opened_gradebook(url, coursedir.course_id, is_rehearsal=is_rehearsal)
            gradebook = stack.enter_context(opened)
            with gradebook.reading() as session:
                known = read_plan(coursedir, assignment, config, session)
        regrading = Regrading(layout, gradebook, known, is_rehearsal)
        read = CourseContent(layout, known).read
        students = chosen_students(layout, choices.students)
        return regrading.run(students, read, choices, begin, tell).regrade


@contextmanager
def opened_gradebook(url: str, course_id: str, *, is_rehearsal: bool) -> Iterator[Gradebook]:
    """Open a gradebook, or a copy of it for a rehearsal.

    Raises:
        NotFound: There is none.
    """
    with ExitStack() as stack:
        if is_rehearsal:
            url = stack.enter_context(copied_gradebook(url))
        yield stack.enter_context(Gradebook(url, course_id))


@dataclass(slots=True)
class Regrading:
    """One regrade of one assignment.

    Args:
        layout: Where results go.
        gradebook: Of the course, or a copy.
        known: How the gradebook says that submissions are graded.
        is_rehearsal: Whether the gradebook is a copy and no notebook is placed.
    """

    layout: AssignmentLayout
    gradebook: Gradebook
    known: AssignmentPlan
    is_rehearsal: bool
    _was: dict[str, dict[str, NotebookNode]] = field(default_factory=dict)

    def run(
        self,
        students: Sequence[str],
        read: Read,
        choices: Choices,
        begin: Callable[[int], None],
        tell: Callable[[None], None],
    ) -> Regraded:
        """Grade submissions again.

        Args:
            students: Whose.
            read: Returns a submission; may raise `CourseError`.
            choices: How; with `students` only some are graded.
            begin: Called with the number of submissions.
            tell: Called as each is graded.

        Raises:
            Conflict: Only some are to be graded again, but tests have changed for everybody.
            CourseError: The source cannot be released, or a cell with marks by hand is gone.
        """
        plan = newest_version(self.known)
        self._refuse_some(plan, choices)
        with self.gradebook.reading() as session:
            refuse_loss(session, plan)
        begin(len(students))
        with ExitStack() as stack:
            if not self.is_rehearsal:
                locks = stack.enter_context(SubmissionLocks(self.layout.root))
                for student in students:
                    while not locks.take(plan.assignment, student):
                        time.sleep(_BUSY_SECONDS)
            graded = self._grade(plan, students, read, choices, tell)
            return self._bring(plan, [self._settled(each) for each in graded], choices)

    def _refuse_some(self, plan: AssignmentPlan, choices: Choices) -> None:
        is_same = all(
            same_cells(notebook.source.named, plan.notebooks[name].source.named)
            for name, notebook in self.known.notebooks.items()
        )
        if choices.students and not self.is_rehearsal and not is_same:
            raise Conflict(
                f"The tests of {plan.assignment!r} are others than those of the gradebook: for everybody.",
                "Leave --student away, or add --dry-run.",
            )

    def _grade(
        self,
        plan: AssignmentPlan,
        students: Sequence[str],
        read: Read,
        choices: Choices,
        tell: Callable[[None], None],
    ) -> list[Finished]:
        finished, waiting = list[Finished](), deque(students)
        environment = environment_of(plan)
        size = choices.jobs or len(os.sched_getaffinity(0))
        with (
            WarmParent(environment, unsafe_no_sandbox=choices.unsafe_no_sandbox) as warm,
            self._trust_folder() as folder,
        ):
            plan = trusted(plan, choices.trust, environment, warm, folder)
            grade = partial(grade_patiently, plan, warm=warm)
            with Pool[SubmissionContent, GradedSubmission](grade, size) as pool:
                while waiting or not pool.is_idle:
                    while waiting and pool.has_room:
                        content = self._read(waiting.popleft(), read)
                        if isinstance(content, Finished):
                            finished.append(content)
                            tell(None)
                        else:
                            pool.put(content)
                    for done in () if pool.is_idle else pool.done():
                        fault = GradedSubmission(student=done.task.student, fault=done.problem)
                        finished.append(Finished(done.task, done.result or fault))
                        tell(None)
        return finished

    @contextmanager
    def _trust_folder(self) -> Iterator[Path]:
        """Give the folder that keeps where tests are judged: a rehearsal leaves nothing behind."""
        if not self.is_rehearsal:
            yield self.layout.root
            return
        with TemporaryDirectory(prefix="spoc-rehearsal-") as folder:
            yield Path(folder)

    def _read(self, student: str, read: Read) -> SubmissionContent | Finished:
        """Return a submission, or what comes of it if it cannot be read."""
        try:
            before = CourseContent(self.layout, self.known).graded(student)
            self._was[student] = dict(_readable(before))
            return read(student)
        except CourseError as error:
            problem = GradedSubmission(student=student, problem=str(error))
            return Finished(SubmissionContent(student=student, files={}), problem)

    def _settled(self, finished: Finished) -> Finished:
        """Return a result whose marks by hand stay settled where nothing about them has changed."""
        was = self._was.get(finished.content.student, {})

        def settled(notebook: GradedNotebook) -> GradedNotebook:
            same = still_settled(was[notebook.name], _read(notebook.graded)) if notebook.name in was else ()
            grades = tuple(replace(grade, is_unchanged=grade.cell in same) for grade in notebook.grades)
            return replace(notebook, grades=grades)

        notebooks = tuple(map(settled, finished.result.notebooks))
        return Finished(finished.content, replace(finished.result, notebooks=notebooks))

    def _bring(self, plan: AssignmentPlan, finished: Sequence[Finished], choices: Choices) -> Regraded:
        """Write results and return what they change."""
        before = self._standings()
        problems = {each.content.student: each.result.problem or each.result.fault for each in finished}
        first = partial(take_over, plan=plan)
        if self.is_rehearsal:
            self.gradebook.write(plan, finished, first)
        else:
            writer = ResultWriter(layout=self.layout, gradebook=self.gradebook, plan=plan, first=first)
            for written in writer.write(finished):
                student = written.finished.content.student
                problems[student] = problems[student] or written.problem
        after = self._standings()
        if not choices.students:
            problems |= dict.fromkeys(before.keys() - problems.keys(), _GONE)
            problems |= dict.fromkeys(after.keys() - problems.keys(), _MEANWHILE)
        results = {each.content.student: each.result for each in finished}
        learners = [
            self._outcome(student, before.get(student), after.get(student), results.get(student), problem)
            for student, problem in problems.items()
        ]
        learners.sort(key=lambda each: (each.difference, each.student))
        return Regraded(Regrade(plan.assignment, self.is_rehearsal, tuple(learners)), tuple(finished))

    def _standings(self) -> dict[str, Standing]:
        with self.gradebook.reading() as session:
            return read_standings(session, self.known.assignment)

    def _outcome(
        self,
        student: str,
        before: Standing | None,
        after: Standing | None,
        result: GradedSubmission | None,
        problem: str,
    ) -> LearnerOutcome:
        now = {each.name: _read(each.graded) for each in result.notebooks} if result else {}
        nothing = Standing({}, 0.0)
        return compare(student, before, after or nothing, self._was.get(student, {}), now, problem)


def _readable(notebooks: Mapping[str, bytes]) -> Iterator[tuple[str, NotebookNode]]:
    """Yield the trainer's notebooks of last time; trainers can write them."""
    for name, content in notebooks.items():
        try:
            yield name, _read(content)
        # nbformat raises whatever its input makes it stumble over.
        except Exception:
            _log.warning("%s.ipynb that was graded last cannot be read", name, exc_info=True)


def _read(notebook: bytes) -> NotebookNode:
    return nbformat.reads(notebook.decode("utf-8"), as_version=4)
