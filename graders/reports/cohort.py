"""What the cohort report is made from: one reading of roster, record, gradebook and modules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import nbformat
from pydantic import AwareDatetime, BaseModel, ConfigDict

from course.accounts import Accounts
from course.database import Database
from course.due_dates import DueDates
from course.errors import CourseError
from course.events import EventStore
from course.item_analysis import (
    ExerciseResult,
    Question,
    QuestionResult,
    SkillResult,
    exercise_results,
    question_results,
    skill_results,
)
from course.manifest import ModuleManifest, read_course, read_module
from course.quiz import MultipleChoice, Quiz, QuizBank, SingleChoice
from course.roster import Roster
from course.schedule import due_at
from course.scores import Exercise, quiz_cell
from course.skills import SkillMap, read_skills
from course.standing import CourseRecord, LearnerStanding, Marking, Module, marking, needing, standings
from course.state import StateFolder
from course.submissions import SubmissionStore
from graders.gradebook import read_scores

QUIET_DAYS = 7.0


class CohortRequest(BaseModel):
    """Which cohort to report on, and as of when: the parameters of the report's notebook."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state_dir: Path
    modules_dir: Path
    generated_at: AwareDatetime
    cohort_title: str = ""
    cohort_start: date | None = None
    time_zone: str = "Europe/Paris"
    language: str = "en"
    quiet_days: float = QUIET_DAYS


@dataclass(frozen=True)
class Cohort:
    """The state of a cohort at one moment; everything derived is derived once."""

    title: str
    request: CohortRequest
    record: CourseRecord
    skills: SkillMap
    exercises: tuple[Exercise, ...]
    questions: tuple[Question, ...]

    @cached_property
    def standings(self) -> tuple[LearnerStanding, ...]:
        """Where every learner stands."""
        return standings(self.record, quiet_days=self.request.quiet_days)

    @cached_property
    def needing(self) -> tuple[LearnerStanding, ...]:
        """Who needs the trainer today, the most urgent first."""
        return needing(self.standings)

    @cached_property
    def marking(self) -> tuple[Marking, ...]:
        """What waits for the trainer's marks."""
        return marking(self.standings)

    @cached_property
    def figures(self) -> Mapping[str, int]:
        """What a trainer wants to know first; the keys are messages of the catalogue `report`."""
        causes = Counter(reason.cause for standing in self.standings for reason in standing.reasons)
        return {
            "learners": len(self.standings),
            "need you today": len(self.needing),
            "gone quiet or not started": causes["quiet"] + causes["absent"],
            "with overdue work": causes["overdue"],
            "written answers to mark": sum(work.answers for work in self.marking),
        }

    @cached_property
    def exercise_results(self) -> tuple[ExerciseResult, ...]:
        """How each exercise went, in the order of the course."""
        return exercise_results(self.exercises, self.record.scores)

    @cached_property
    def question_results(self) -> tuple[QuestionResult, ...]:
        """How each question went, the hardest first."""
        return question_results(self.questions, self.record.events)

    @cached_property
    def skill_results(self) -> tuple[SkillResult, ...]:
        """How each skill that something assessed stands, in the order of the skill map."""
        results = skill_results(
            [skill.id for skill in self.skills.skills],
            self.exercises,
            self.questions,
            self.record.scores,
            self.record.events,
        )
        return tuple(result for result in results if result.shares)


def read_cohort(request: CohortRequest) -> Cohort:
    """Read the state of a cohort.

    Raises:
        CourseError: The state folder holds no course.
        FileProblems: A file of the course cannot be used.
    """
    state = StateFolder(request.state_dir)
    if not (state.root / "spoc.sqlite").is_file():
        raise CourseError(
            f"{state.root} holds no course yet.", "Import a roster first: spoc cohort import roster.csv"
        )
    course = read_course(request.modules_dir)
    manifests = [read_module(request.modules_dir / slug) for slug in course.modules]
    bank = QuizBank(request.modules_dir)
    quizzes = {slug: bank.get(slug) for slug in bank.slugs() if slug in course.modules}
    database = Database(state.database_url)
    try:
        record = _record(request, state, database, _modules(request, manifests, quizzes))
    finally:
        database.close()
    return Cohort(
        title=request.cohort_title or course.title,
        request=request,
        record=record,
        skills=read_skills(request.modules_dir),
        exercises=tuple(
            exercise for slug in course.modules for exercise in read_exercises(state.course_dir, slug)
        ),
        questions=tuple(
            question
            for slug in course.modules
            if slug in quizzes
            for question in _questions(slug, quizzes[slug])
        ),
    )


def read_exercises(course_dir: Path, assignment: str) -> Iterator[Exercise]:
    """Yield the graded cells of a built assignment, in reading order; nothing before it is built."""
    notebooks = (course_dir / "source" / assignment).glob("*.ipynb")
    for path in sorted(notebooks, key=lambda path: (path.stem != "lesson", path.stem)):
        for cell in nbformat.read(path, as_version=4).cells:
            marks = cell.metadata.get("nbgrader", {})
            if not (marks.get("grade") or marks.get("task")):
                continue
            name = marks["grade_id"]
            by_hand = bool(marks.get("solution") or marks.get("task"))
            yield Exercise(
                assignment=assignment,
                cell=name,
                kind="quiz" if name == quiz_cell(assignment) else "written" if by_hand else "tests",
                max_points=float(marks.get("points", 0)),
                skills=tuple(cell.metadata.get("spoc", {}).get("skills", ())),
            )


def _record(
    request: CohortRequest, state: StateFolder, database: Database, modules: tuple[Module, ...]
) -> CourseRecord:
    """Read the record of those who learn now: no trainer's trials, no former member's results."""
    members = Roster(database).members()
    learners = {member.name for member in members if member.role == "learner"}
    start = request.cohort_start
    submissions = SubmissionStore(database, state.submissions_dir).newest()
    return CourseRecord(
        now=request.generated_at,
        cohort_start=datetime.combine(start, time(), ZoneInfo(request.time_zone)) if start else None,
        members=members,
        modules=modules,
        events=[
            event
            for event in EventStore(database).events(until=request.generated_at)
            if event.learner in learners
        ],
        extensions=DueDates(database).extensions(),
        handed_in=[submission for submission in submissions if submission.learner in learners],
        scores=[score for score in read_scores(state.gradebook_url) if score.learner in learners],
        last_seen={
            account.member.name: account.last_seen_at
            for account in Accounts(database).all()
            if account.last_seen_at
        },
    )


def _modules(
    request: CohortRequest, manifests: list[ModuleManifest], quizzes: dict[str, Quiz]
) -> tuple[Module, ...]:
    return tuple(
        Module(
            slug=manifest.slug,
            title=manifest.title,
            due_at=due_at(manifest, request.cohort_start, request.time_zone),
            questions=tuple(question.id for question in quizzes[manifest.slug].questions)
            if manifest.slug in quizzes
            else (),
        )
        for manifest in manifests
    )


def _questions(slug: str, quiz: Quiz) -> Iterator[Question]:
    for question in quiz.questions:
        choices = question.choices if isinstance(question, SingleChoice | MultipleChoice) else ()
        yield Question(
            quiz=slug,
            id=question.id,
            prompt=question.prompt,
            points=question.points,
            skills=question.skills,
            choices={choice.id: choice.text for choice in choices},
            right=frozenset(choice.id for choice in choices if choice.correct),
        )
