"""A quiz file is used only when it is right, and names every problem when it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from course.errors import FileProblems
from course.quiz import QuizBank, SingleChoice, read_quiz
from tests.quizzes import MODULES, QUIZ, changed

pytestmark = pytest.mark.quick


def problems_of(path: Path, quiz: Any) -> str:
    path.write_text(yaml.safe_dump(quiz, allow_unicode=True), encoding="utf-8")
    with pytest.raises(FileProblems) as refused:
        read_quiz(path)
    return "\n".join(refused.value.problems)


def test_choices_without_ids_are_named_by_position_so_that_an_id_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "quiz.yaml"
    path.write_text(yaml.safe_dump(QUIZ), encoding="utf-8")
    question = read_quiz(path).questions[0]
    assert isinstance(question, SingleChoice)
    assert [choice.id for choice in question.choices] == ["a", "b", "c"]


def test_every_problem_of_a_quiz_is_reported_at_once(tmp_path: Path) -> None:
    broken = changed(0, points=-1) | {"atempts": 2}
    del broken["questions"][1]["choices"][0]["feedback"]
    broken["questions"][2]["answer"] = "many"
    problems = problems_of(tmp_path / "quiz.yaml", broken)
    for where in ("atempts", "points", "feedback", "answer"):
        assert where in problems


@pytest.mark.parametrize(
    ("index", "change", "problem"),
    [
        (0, {"choices": [{"text": t, "correct": True, "feedback": "f"} for t in "xy"]}, "exactly one"),
        (1, {"choices": [{"text": t, "correct": True, "feedback": "f"} for t in "xy"]}, "correct and wrong"),
        (
            1,
            {"choices": [{"text": "x", "correct": c, "feedback": "f"} for c in (True, False)]},
            "two choices",
        ),
        (2, {"mistakes": [{"value": 12.505, "feedback": "f"}]}, "counts as right"),
        (3, {"mistakes": [{"text": "GROUP by", "feedback": "f"}]}, "counts as right"),
        (3, {"id": "axis"}, "id of two questions"),
        (2, {"answer": float("nan")}, "finite"),
        (2, {"type": "essay"}, "type must be one of"),
    ],
)
def test_a_question_that_cannot_be_scored_fairly_is_refused(
    tmp_path: Path, index: int, change: dict[str, Any], problem: str
) -> None:
    assert problem in problems_of(tmp_path / "quiz.yaml", changed(index, **change))


def test_the_bank_reads_a_changed_file_again(tmp_path: Path) -> None:
    path = tmp_path / "tables" / "quiz.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(QUIZ), encoding="utf-8")
    bank = QuizBank(tmp_path)
    assert bank.get("tables").title == "Tables"
    path.write_text(yaml.safe_dump(QUIZ | {"title": "Tables, again"}), encoding="utf-8")
    assert bank.get("tables").title == "Tables, again"


def test_every_quiz_of_the_sample_course_can_be_used() -> None:
    bank = QuizBank(MODULES)
    assert bank.slugs()
    for slug in bank.slugs():
        assert len(bank.get(slug).questions) >= 6
