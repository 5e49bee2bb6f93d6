"""Regrades an assignment of a deployment, and tells learners what that changed for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader import api
from sqlalchemy import select

from course.api import FeedbackDocument
from course.database import Database
from course.due_dates import DueDates
from course.errors import NotFound
from course.events import EventStore
from course.feedback import FeedbackStore
from course.grading import GradingQueue
from course.manifest import read_course
from course.quiz import QuizBank, QuizRecord
from course.roster import Roster
from course.state import StateFolder
from course.submissions import Submission, SubmissionStore
from graders.course_work import Learners
from graders.engine.content import CourseContent
from graders.engine.course import Choices
from graders.engine.gradebook import Gradebook
from graders.engine.outcome import Regrade
from graders.engine.plan import read_plan
from graders.engine.regrade import Regraded, Regrading, opened_gradebook
from graders.engine.results import SubmissionContent
from graders.graded_event import graded_event
from graders.grading_course import GradingCourse
from graders.tasks import Desk, Publish


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a regrade needs of one.

    Args:
        state: Its folder.
        modules_dir: Where its modules are.
        language: Of feedback.
    """

    state: StateFolder
    modules_dir: Path
    language: str


def regrade_deployment(
    deployment: Deployment,
    assignment: str,
    choices: Choices,
    *,
    is_rehearsal: bool,
    begin: Callable[[int], None] = lambda _count: None,
    tell: Callable[[None], None] = lambda _nothing: None,
) -> Regrade:
    """Grade what learners submitted again by what the source says now; a worker may be running.

    Feedback is written again where what it says has changed. Marks that were released stay released.

    Raises:
        CourseError: The source cannot be released, or a cell with marks by hand is gone.
        NotFound: There is no such assignment, or nothing of it is graded.
        SandboxUnavailable: This machine cannot isolate learner code.
    """
    course = GradingCourse(deployment.state.course_dir, read_course(deployment.modules_dir).id)
    with (
        closing(Database(deployment.state.database_url)) as database,
        opened_gradebook(course.gradebook_url, course.id, is_rehearsal=is_rehearsal) as gradebook,
    ):
        store = SubmissionStore(database, deployment.state.submissions_dir)
        submissions = _graded_ones(gradebook, store, assignment, choices)
        layout = course.layout(assignment)
        with gradebook.reading() as session:
            known = read_plan(layout.coursedir, assignment, course.config(), session)
        before = CourseContent(layout, known)
        learners = _learners(deployment, database, store)

        def read(student: str) -> SubmissionContent:
            # Its lock is held now; a worker may have graded a newer one before.
            only = replace(choices, students=(student,))
            submissions.update(_graded_ones(gradebook, store, assignment, only))
            return learners.content(submissions[student], known, before.graded_before(student))

        regrading = Regrading(layout, gradebook, known, is_rehearsal)
        done = regrading.run(tuple(submissions), read, choices, begin, tell)
        if is_rehearsal:
            return done.regrade
        course.keep_owner()
        desk = Desk(course, FeedbackStore(deployment.state.feedback_dir), deployment.language)
        renewed = tuple(_tell(database, store, desk, submissions, done))
        return replace(done.regrade, feedback_renewed=renewed)


def _learners(deployment: Deployment, database: Database, store: SubmissionStore) -> Learners:
    record = QuizRecord(QuizBank(deployment.modules_dir), EventStore(database))
    return Learners(Roster(database), record, store, DueDates(database), deployment.language)


def _graded_ones(
    gradebook: Gradebook, store: SubmissionStore, assignment: str, choices: Choices
) -> dict[str, Submission]:
    """Return by learner the submission whose scores the gradebook has: not always the newest.

    Raises:
        NotFound: There is none.
    """
    query = (
        select(api.SubmittedAssignment.student_id, api.SubmittedAssignment.timestamp)
        .join(api.Assignment, api.SubmittedAssignment.assignment_id == api.Assignment.id)
        .where(api.Assignment.name == assignment)
        .order_by(api.SubmittedAssignment.student_id)
    )
    if choices.students:
        query = query.where(api.SubmittedAssignment.student_id.in_(choices.students))
    found = {}
    with gradebook.reading() as session:
        for student, timestamp in session.execute(query):
            for submission in store.of(student, assignment):
                if submission.received_at.astimezone(UTC).replace(tzinfo=None) == timestamp:
                    found[student] = submission
                    break
    missing = [student for student in choices.students if student not in found]
    if missing or not found:
        whose = ", ".join(missing) or "Nobody"
        raise NotFound(f"{whose} has no graded submission for {assignment!r}.", "Run: spoc grade status")
    return found


def _tell(
    database: Database,
    store: SubmissionStore,
    desk: Desk,
    submissions: Mapping[str, Submission],
    done: Regraded,
) -> Iterator[str]:
    """Write feedback that changed; yield whose."""
    queue, events = GradingQueue(database), EventStore(database)
    problems = {each.student: each.problem for each in done.regrade.learners}
    for finished in done.finished:
        student = finished.content.student
        # Marks may have been released meanwhile.
        submission = store.get(submissions[student].id)
        if problems[student]:
            continue
        if submission.state == "failed":
            # It can be graded now: then its learner is told so as of any other.
            queue.grade_again(submission.id)
        if submission.state != "graded":
            continue
        document = _renewed(desk, submission, {each.name: each.seen for each in finished.result.notebooks})
        if document is None:
            continue
        queue.mark_feedback(
            submission,
            points=document.points,
            max_points=document.max_points,
            feedback_at=document.graded_at,
        )
        events.record(graded_event(submission, document))
        yield student


def _renewed(desk: Desk, submission: Submission, seen: Mapping[str, bytes]) -> FeedbackDocument | None:
    """Return feedback once it is written again; None if it would say the same about the same tests."""
    pages = {name: nbformat.reads(content.decode(), as_version=4) for name, content in seen.items()}
    kept = {
        path.stem: nbformat.read(path, as_version=4) for path in desk.feedback.kept(submission.id, ".ipynb")
    }
    try:
        told = desk.feedback.get(submission.id)
    except NotFound:
        return _publish(desk, submission, seen)
    if desk.document(submission, pages, told.graded_at) == told and _texts(kept) == _texts(pages):
        return None
    return _publish(desk, submission, seen)


def _publish(desk: Desk, submission: Submission, seen: Mapping[str, bytes]) -> FeedbackDocument:
    return Publish(submission, seen).run(desk)


def _texts(notebooks: Mapping[str, NotebookNode]) -> dict[str, list[str]]:
    return {name: [cell.source for cell in notebook.cells] for name, notebook in notebooks.items()}
