"""A quiz with one question of each type, and a deployment that serves it, for tests."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import yaml

from course.database import Database
from course.releases import ReleaseStore
from course.roster import Roster
from course.state import StateFolder
from hub_config.settings import Settings, write_settings

MODULES = Path(__file__).parents[1] / "course" / "modules"

QUIZ: dict[str, Any] = {
    "title": "Tables",
    "attempts": 2,
    "questions": [
        {
            "id": "axis",
            "type": "single-choice",
            "prompt": "Which axis do **rows** run along?",
            "points": 1,
            "skills": ["tables"],
            "choices": [
                {"text": "`axis=1`", "correct": False, "feedback": "KEY-axis-a: that is the columns' axis."},
                {"text": "`axis=0`", "correct": True, "feedback": "KEY-axis-b: rows run down."},
                {"text": "Neither", "correct": False, "feedback": "KEY-axis-c: there are two axes."},
            ],
        },
        {
            "id": "missing",
            "type": "multiple-choice",
            "prompt": "Which mean “missing” in pandas?",
            "points": 2,
            "skills": ["tables"],
            "choices": [
                {"text": "`NaN`", "correct": True, "feedback": "KEY-missing-a: yes."},
                {"text": "`0`", "correct": False, "feedback": "KEY-missing-b: zero is a value."},
                {"text": "`NaT`", "correct": True, "feedback": "KEY-missing-c: yes, for times."},
                {"text": "`''`", "correct": False, "feedback": "KEY-missing-d: empty text is a value."},
            ],
        },
        {
            "id": "mean",
            "type": "numeric",
            "prompt": "What is the mean of 10 and 15?",
            "points": 1.5,
            "skills": ["tables"],
            "answer": 12.5,
            "tolerance": 0.01,
            "unit": "€",
            "mistakes": [{"value": 25, "feedback": "KEY-mean-sum: that is the sum."}],
            "feedback": {
                "right": "KEY-mean-right: yes.",
                "wrong": "KEY-mean-wrong: add, then divide by two.",
            },
        },
        {
            "id": "group",
            "type": "short-text",
            "prompt": "Which SQL clause groups?",
            "points": 1,
            "skills": ["tables"],
            "attempts": 3,
            "accept": ["GROUP BY"],
            "mistakes": [{"text": "order by", "feedback": "KEY-group-order: that sorts."}],
            "feedback": {"right": "KEY-group-right: yes.", "wrong": "KEY-group-wrong: think of groupby."},
        },
    ],
}


def changed(index: int, **changes: object) -> dict[str, Any]:
    """Return the quiz with some values of one question replaced."""
    quiz = copy.deepcopy(QUIZ)
    quiz["questions"][index].update(changes)
    return quiz


def write_quiz(modules_dir: Path, slug: str = "tables", quiz: dict[str, Any] = QUIZ) -> None:
    """Give the module `slug` a quiz."""
    path = modules_dir / slug / "quiz.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(quiz, allow_unicode=True), encoding="utf-8")


def deploy_quiz(folder: Path, learners: Iterable[str], language: Literal["en", "fr"] = "en") -> StateFolder:
    """Make a deployment below `folder`: `tables` with its quiz, released; learners, the trainer `tia`."""
    state = StateFolder(folder / "state")
    state.root.mkdir()
    write_quiz(folder / "modules")
    write_settings(state, Settings(modules_dir=folder / "modules", language=language))
    roster = folder / "roster.csv"
    lines = [f"{name},{name.title()},{name}@example.com,learner" for name in learners]
    roster.write_text("\n".join(["username,name,email,role", *lines, "tia,Tia,tia@example.com,trainer"]))
    database = Database(state.database_url)
    Roster(database).import_csv(roster)
    database.close()
    release_quiz(state, "tables")
    return state


def release_quiz(state: StateFolder, *slugs: str) -> None:
    """Show learners the quizzes of these modules."""
    with closing(Database(state.database_url)) as database:
        for slug in slugs:
            ReleaseStore(database).release(
                slug, title=slug, notebooks=["lesson"], due_at=None, now=datetime.now(UTC)
            )
