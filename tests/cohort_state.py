"""A cohort half-way through a course, in the real stores and nbgrader's gradebook."""

from __future__ import annotations

import csv
import io
import random
import tarfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import nbformat
import yaml
from nbformat import v4
from nbgrader.api import Gradebook

from course.database import Database
from course.events import Event, EventStore
from course.grading import GradingQueue
from course.roster import Roster
from course.state import StateFolder
from course.submissions import SubmissionStore
from hub_config.settings import Settings, write_settings

SKILLS = {
    "reading-tables": "Read a table and look at it",
    "cleaning-text": "Tidy text and categories",
    "missing-values": "Treat missing values on purpose",
    "grouping": "Sum up by group",
    "joining": "Join tables by a key",
    "honest-charts": "Draw charts that do not mislead",
}
MODULES: dict[str, tuple[str, int, list[str], list[tuple[str, float, str]]]] = {
    "tables": (
        "Tables and cleaning",
        7,
        ["reading-tables", "cleaning-text", "missing-values"],
        [
            ("load-orders", 2, "reading-tables"),
            ("clean-names", 2, "cleaning-text"),
            ("fill-gaps", 3, "missing-values"),
            ("explain-outliers", 3, "missing-values"),
        ],
    ),
    "joins": (
        "Grouping and joining",
        14,
        ["grouping", "joining"],
        [("sales-by-region", 3, "grouping"), ("add-prices", 3, "joining"), ("explain-join", 3, "joining")],
    ),
    "charts": ("Charts that do not lie", 21, ["honest-charts"], [("redraw", 4, "honest-charts")]),
}
NAMES = [
    "Ada Nguyen", "Björn Lindqvist", "Chiara Moretti", "Dilan Öztürk", "Élodie Marchand", "Farid Haddad",
    "Grace O'Neill", "Hugo Martínez", "Inès Lefèvre", "Jonas Weber", "Katarzyna Nowak", "Liam Byrne",
    "Mei Tanaka", "Noah Dubois", "Olga Petrova", "Pierre Fontaine", "Quynh Tran", "Rosa Almeida",
]  # fmt: skip
HOSTILE_NAME = '<img src=x onerror=alert(1)> & "Bo"'
START = date(2026, 3, 2)


def make_cohort(root: Path, now: datetime, *, names: list[str] = NAMES, language: str = "en") -> StateFolder:
    """Write the state at `now` of a cohort that began on `START`; the same for the same arguments."""
    state = StateFolder(root)
    root.mkdir(parents=True, exist_ok=True)
    modules_dir = root / "modules"
    _write_modules(modules_dir)
    _write_sources(state.course_dir)
    write_settings(
        state,
        Settings.model_validate(
            {
                "modules_dir": modules_dir,
                "cohort_title": "Data work in Python, spring group",
                "cohort_start": START,
                "language": language,
            }
        ),
    )
    database = Database(state.database_url)
    try:
        learners = _import_roster(root / "roster.csv", Roster(database), names)
        _Walk(state, database, now).take(learners)
    finally:
        database.close()
    return state


class _Walk:
    """Lets each learner go through the course with a gift and a diligence of their own."""

    def __init__(self, state: StateFolder, database: Database, now: datetime) -> None:
        self._random = random.Random(30)  # noqa: S311 - not for secrets
        self._events: list[Event] = []
        self._now = now
        self._start = datetime.combine(START, datetime.min.time(), now.tzinfo) + timedelta(hours=8)
        self._submissions = SubmissionStore(database, state.submissions_dir)
        self._queue = GradingQueue(database)
        self._store = EventStore(database)
        self._gradebook_url = state.gradebook_url

    def take(self, learners: list[str]) -> None:
        with Gradebook(self._gradebook_url) as gradebook, gradebook.db.no_autoflush:
            _add_assignments(gradebook)
            for number, learner in enumerate(learners):
                gradebook.add_student(learner)
                # The fourth never comes, the ninth stops after a week, the rest differ in skill.
                ends = {3: 0.0, 8: 6.0}.get(number % 18, 40.0)
                self._learner(gradebook, learner, ends, ability=0.35 + 0.6 * self._random.random())
            gradebook.db.commit()
        with self._store.transaction() as log:
            for event in self._events:
                log.append(event)

    def _learner(self, gradebook: Gradebook, learner: str, ends: float, ability: float) -> None:
        day = 0.2 + self._random.random()
        for slug in MODULES:
            for question in ("first", "second", "third"):
                self._answer(learner, slug, question, day, ends, ability)
                day += 0.3 + 1.2 * self._random.random()
            day += 0.5 + 2.5 * self._random.random()
            if day < ends and self._at(day) < self._now:
                self._hand_in(gradebook, learner, slug, day, ability)

    def _answer(
        self, learner: str, slug: str, question: str, day: float, ends: float, ability: float
    ) -> None:
        for attempt in (1, 2):
            when = self._at(day + attempt / 50)
            if day > ends or when > self._now:
                return
            hard = {"first": 0.25, "second": 0.1, "third": -0.15}[question]
            right = self._random.random() < ability + hard
            answer: Any = {"first": "b" if right else "a", "third": 42.0 if right else 40.0}.get(question)
            if question == "second":
                answer = ["a", "c"] if right else self._random.choice([["a"], ["a", "b"]])
            data = {
                "answer": answer, "points": 2.0 * right, "max_points": 2.0, "right": right,
                "attempt": attempt,
            }  # fmt: skip
            self._event(learner, "quiz.answered", when, f"{slug}/{question}", data)
            if right:
                return

    def _hand_in(self, gradebook: Gradebook, learner: str, slug: str, day: float, ability: float) -> None:
        when = self._at(day)
        receipt = self._submissions.receive(learner, slug, _archive(), when)
        self._queue.claim(when)
        if learner == "mei-tanaka" and slug == "joins":
            self._queue.mark_failed(receipt.submission, "The notebook is not valid JSON.")
            return
        submission = gradebook.add_submission(slug, learner, timestamp=when)
        for grade in submission.notebooks[0].grades:
            top = grade.cell.max_score
            if grade.name.startswith("explain"):
                grade.needs_manual_grade = day > 10
                grade.manual_score = None if day > 10 else round(top * ability)
                continue
            grade.auto_score = top if self._random.random() < ability else self._random.choice([0, top / 2])
            grade.needs_manual_grade = False
        self._queue.mark_graded(receipt.submission, points=0, max_points=0, feedback_at=when)

    def _event(self, learner: str, kind: str, when: datetime, subject: str, data: dict[str, Any]) -> None:
        event_id = UUID(int=self._random.getrandbits(128))
        self._events.append(Event(event_id, learner, kind, when, subject, data))

    def _at(self, day: float) -> datetime:
        return self._start + timedelta(days=day)


def _import_roster(path: Path, roster: Roster, names: list[str]) -> list[str]:
    rows = [(_user_name(name, number), name, "learner") for number, name in enumerate(names)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["username", "name", "email", "role"])
        writer.writerows(
            [user, name, "", role] for user, name, role in [*rows, ("tia", "Tia Trainer", "trainer")]
        )
    roster.import_csv(path)
    return [user for user, _, _ in rows]


def _user_name(name: str, number: int) -> str:
    plain = "".join(
        letter for letter in name.lower().replace(" ", "-") if letter in "abcdefghijklmnopqrstuvwxyz-"
    )
    return plain if plain and "<" not in name else f"learner-{number}"


def _write_modules(folder: Path) -> None:
    folder.mkdir()
    _write_yaml(
        folder / "course.yaml",
        id="data-work", title="Data work in Python", language="en", description="Do data work.",
        audience="Analysts.", modules=list(MODULES),
    )  # fmt: skip
    _write_yaml(
        folder / "skills.yaml",
        levels=[{"level": 1, "title": "Does it"}],
        skills=[{"id": skill, "title": title, "description": title} for skill, title in SKILLS.items()],
    )
    for slug, (title, due_days, skills, _) in MODULES.items():
        (folder / slug).mkdir()
        _write_yaml(
            folder / slug / "module.yaml",
            slug=slug, title=title, minutes=60, objectives=["Do it."], teaches=skills, due_days=due_days,
        )  # fmt: skip
        _write_yaml(folder / slug / "quiz.yaml", title=title, questions=_questions(skills))


def _questions(skills: list[str]) -> list[dict[str, Any]]:
    def choices(*texts: tuple[str, bool]) -> list[dict[str, Any]]:
        return [{"text": text, "correct": correct, "feedback": "So it is."} for text, correct in texts]

    return [
        {
            "id": "first", "type": "single-choice", "points": 2, "skills": [skills[0]],
            "prompt": "What does `orders.shape` say about the table?",
            "choices": choices(("How many bytes it takes", False), ("Rows and columns", True)),
        },
        {
            "id": "second", "type": "multiple-choice", "points": 2, "skills": [skills[-1]],
            "prompt": "Which values count as **missing** in a column of numbers?",
            "choices": choices(("`NaN`", True), ("`0`", False), ("An empty cell of the file", True)),
        },
        {
            "id": "third", "type": "numeric", "points": 2, "skills": [skills[-1]],
            "prompt": "How many rows has the result?\n\n```python\na.merge(b)\n```",
            "answer": 42, "feedback": {"right": "Yes.", "wrong": "Count again."},
        },
    ]  # fmt: skip


def _write_yaml(path: Path, **values: Any) -> None:
    path.write_text(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _write_sources(course_dir: Path) -> None:
    for slug, (_, _, _, cells) in MODULES.items():
        notebook = v4.new_notebook(cells=[_source_cell(*cell) for cell in cells])
        quiz = _source_cell(f"quiz-{slug}", 6, "")
        quiz.metadata.pop("spoc")
        folder = course_dir / "source" / slug
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / "exercises.ipynb")
        nbformat.write(v4.new_notebook(cells=[quiz]), folder / "lesson.ipynb")


def _source_cell(name: str, points: float, skill: str) -> nbformat.NotebookNode:
    by_hand = name.startswith("explain")
    marks = {
        "grade": True, "solution": by_hand, "locked": not by_hand, "grade_id": _grade_id(name),
        "points": points, "schema_version": 3, "task": False,
    }  # fmt: skip
    make = v4.new_markdown_cell if by_hand else v4.new_code_cell
    return make(metadata={"nbgrader": marks, "spoc": {"skills": [skill]}})


def _grade_id(name: str) -> str:
    return name if name.startswith(("explain", "quiz-")) else f"{name}-tests"


def _add_assignments(gradebook: Gradebook) -> None:
    for slug, (_, _, _, cells) in MODULES.items():
        gradebook.add_assignment(slug)
        gradebook.add_notebook("exercises", slug)
        for name, points, _ in [*cells, (f"quiz-{slug}", 6.0, "")]:
            kind = "markdown" if name.startswith("explain") else "code"
            gradebook.add_grade_cell(_grade_id(name), "exercises", slug, max_score=points, cell_type=kind)
            if kind == "markdown":
                gradebook.add_solution_cell(_grade_id(name), "exercises", slug)


def _archive() -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("exercises.ipynb")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"{}"))
    buffer.seek(0)
    return buffer
