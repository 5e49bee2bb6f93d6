"""What a learner may see of a graded submission, as the hub would show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import nbformat

from graders.engine.config import AssignmentLayout, course_directory, read_config
from graders.engine.content import CourseContent
from graders.engine.gradebook import Gradebook
from graders.engine.plan import read_plan
from graders.engine.results import GradedSubmission
from graders.engine.submission import grade_submission
from graders.engine.trust import trusted
from graders.engine.warm import environment_of
from graders.feedback import feedback_document
from graders.feedback_message import note_results
from graders.feedback_page import feedback_page
from graders.forkserver.parent import WarmParent
from graders.grading_course import GradingCourse
from tests.equality.course import COURSE_ID


def seen_by_learners(course: Path, assignment: str, students: Sequence[str]) -> dict[str, str]:
    """Grade submissions once more, one after the other by one fork server; return what each learner sees.

    Args:
        course: The course directory, with the rows of the first time.
        assignment: Its name.
        students: Whose.

    Returns:
        By student the text of notebook, messages and feedback.
    """
    config = read_config(course)
    coursedir = course_directory(course, config)
    layout = AssignmentLayout(coursedir, assignment)
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook, gradebook.reading() as session:
        plan = read_plan(coursedir, assignment, config, session)
    environment = environment_of(plan)
    with WarmParent(environment) as warm:
        plan = trusted(plan, "auto", environment, warm, layout.root)
        content = CourseContent(layout, plan)
        return {
            student: _seen(course, assignment, grade_submission(plan, content.read(student), warm))
            for student in students
        }


def _seen(course: Path, assignment: str, graded: GradedSubmission) -> str:
    seen = {each.name: nbformat.reads(each.seen.decode(), as_version=4) for each in graded.notebooks}
    told = [graded.problem, graded.fault, *(each.seen.decode() for each in graded.notebooks)]
    for each in graded.notebooks:
        note_results(seen[each.name], each.tests)
        told += [result.message for result in each.tests.values()]
    document = feedback_document(
        GradingCourse(course, COURSE_ID),
        graded.student,
        assignment,
        seen,
        submission=UUID(int=0),
        marks_released=False,
        language="en",
        now=datetime.now(UTC),
    )
    pages = [feedback_page(page, name, document, "en") for name, page in seen.items()]
    return "\n".join([*told, document.model_dump_json(), *pages])
