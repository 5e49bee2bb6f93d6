"""The files of a course agree with one another, or the author learns where they do not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from course.lint import CODES, Finding
from course.schema import MODELS, json_schema
from course.survey import (
    Assessment,
    manifest_findings,
    quiz_findings,
    skill_findings,
    survey_course,
    unassessed_skills,
)

pytestmark = pytest.mark.quick

PROJECT = Path(__file__).parents[2]
SKILLS = {
    "levels": [{"level": 1, "title": "Does it"}],
    "skills": [
        {"id": "lists", "title": "Lists", "description": "Make lists."},
        {"id": "slicing", "title": "Slicing", "description": "Cut lists.", "requires": ["lists"]},
        {"id": "strides", "title": "Strides", "description": "Cut in steps.", "requires": ["slicing"]},
    ],
}
COURSE = {
    "id": "python",
    "title": "Python",
    "language": "en",
    "description": "Lists.",
    "audience": "Beginners.",
    "modules": ["first", "second"],
}


def write(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def module(slug: str, **changes: object) -> dict[str, object]:
    return {"slug": slug, "title": slug, "minutes": 5, "objectives": ["Do"], "teaches": ["lists"], **changes}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    write(tmp_path / "course.yaml", COURSE)
    write(tmp_path / "skills.yaml", SKILLS)
    write(tmp_path / "first" / "module.yaml", module("first"))
    write(
        tmp_path / "second" / "module.yaml",
        module("second", teaches=["slicing", "strides"], requires=["lists"]),
    )
    return tmp_path


def shown(folder: Path, findings: list[Finding] | tuple[Finding, ...]) -> list[str]:
    return [str(finding).removeprefix(f"{folder}/") for finding in findings]


def single_choice(number: int, right: str) -> dict[str, object]:
    choices = [
        {"text": right, "correct": True, "feedback": "Yes."},
        {"text": "no", "correct": False, "feedback": "No: look again."},
    ]
    return {
        "id": f"q{number}",
        "type": "single-choice",
        "prompt": "?",
        "skills": ["lists"],
        "choices": choices,
    }


def test_a_course_that_agrees_has_no_finding(course: Path) -> None:
    survey = survey_course(course)
    assert survey.findings == ()
    assert [manifest_findings(survey, slug) for slug in survey.modules] == [[], []]


def test_a_module_that_the_course_lists_needs_a_folder(course: Path) -> None:
    write(course / "course.yaml", COURSE | {"modules": ["first", "second", "third"]})
    assert "course.yaml:9: M002 there is no folder third" in shown(course, survey_course(course).findings)


def test_a_module_that_the_course_forgot_is_found(course: Path) -> None:
    write(course / "course.yaml", COURSE | {"modules": ["first"]})
    assert "second/module.yaml:1: M003 second is not among the modules of course.yaml" in shown(
        course, survey_course(course).findings
    )


def test_a_skill_that_no_module_teaches_is_found(course: Path) -> None:
    write(course / "second" / "module.yaml", module("second", teaches=["slicing"], requires=["lists"]))
    assert shown(course, survey_course(course).findings) == ["skills.yaml:13: S006 no module teaches strides"]


def test_a_module_teaches_and_requires_skills_of_the_map(course: Path) -> None:
    write(course / "first" / "module.yaml", module("first", teaches=["lists", "tuples"], requires=["ints"]))
    assert shown(course, manifest_findings(survey_course(course), "first")) == [
        "first/module.yaml:8: S001 there is no skill tuples in skills.yaml",
        "first/module.yaml:10: S001 there is no skill ints in skills.yaml",
    ]


def test_what_a_module_requires_is_taught_before(course: Path) -> None:
    write(course / "first" / "module.yaml", module("first", requires=["slicing"]))
    assert shown(course, manifest_findings(survey_course(course), "first")) == [
        "first/module.yaml:9: S004 no earlier module teaches slicing"
    ]


def test_what_a_taught_skill_builds_on_is_taught_by_then(course: Path) -> None:
    write(course / "first" / "module.yaml", module("first", teaches=["strides"]))
    assert shown(course, manifest_findings(survey_course(course), "first")) == [
        "first/module.yaml:7: S005 strides builds on slicing, which no module up to here teaches"
    ]


def test_only_taught_skills_are_assessed(course: Path) -> None:
    quiz = course / "first" / "quiz.yaml"
    assessments = [
        Assessment(quiz, 3, "question a", ("lists", "strides")),
        Assessment(quiz, 9, "question b", ("x",)),
    ]
    assert shown(course, skill_findings(survey_course(course), "first", assessments)) == [
        "first/quiz.yaml:3: S003 question a: it assesses strides, which no module up to here teaches",
        "first/quiz.yaml:9: S001 question b: there is no skill x in skills.yaml",
    ]


def test_every_taught_skill_is_assessed(course: Path) -> None:
    assessments = [Assessment(course / "second" / "exercises.md", 3, "a-tests", ("strides",))]
    assert shown(course, unassessed_skills(survey_course(course), "second", assessments)) == [
        "second/module.yaml:7: S002 no question and no exercise assesses slicing"
    ]


def test_a_short_quiz_is_found(course: Path) -> None:
    write(course / "first" / "quiz.yaml", {"title": "Quiz", "questions": [single_choice(1, "yes")]})
    _, found = quiz_findings(course / "first")
    assert shown(course, found) == ["first/quiz.yaml:1: Q002 1 questions; at least 6 are needed to judge by"]


def test_a_choice_without_feedback_is_told_from_other_mistakes(course: Path) -> None:
    question = single_choice(1, "yes") | {"pionts": 1}
    del question["choices"][1]["feedback"]  # type: ignore[index]
    write(course / "first" / "quiz.yaml", {"title": "Quiz", "questions": [question]})
    quiz, found = quiz_findings(course / "first")
    assert quiz is None
    assert sorted(finding.code for finding in found) == ["Q001", "Q003"]


def test_a_quiz_that_the_longest_choice_always_wins_is_found(course: Path) -> None:
    questions = [single_choice(number, "the long and careful one") for number in range(6)]
    write(course / "first" / "quiz.yaml", {"title": "Quiz", "questions": questions})
    assert [finding.code for finding in quiz_findings(course / "first")[1]] == ["Q004"]
    questions[3] = single_choice(3, "y")
    write(course / "first" / "quiz.yaml", {"title": "Quiz", "questions": questions})
    assert quiz_findings(course / "first")[1] == []


def test_a_finding_has_a_known_code(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="X999 is not in CODES"):
        Finding(tmp_path, 1, "X999", "")


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_documented(code: str) -> None:
    assert f"| `{code}` |" in (PROJECT / "docs" / "author.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MODELS)
def test_the_schemas_that_editors_use_are_those_of_the_models(name: str) -> None:
    written = json.loads((PROJECT / "course" / "schemas" / f"{name}.json").read_text(encoding="utf-8"))
    assert written == json_schema(name), "renew it: spoc module schema --modules-dir …"


def test_a_course_that_cannot_be_read_is_one_finding_and_no_exception(tmp_path: Path) -> None:
    (tmp_path / "course.yaml").write_text("- list\n")
    codes = [finding.code for finding in survey_course(tmp_path).findings]
    assert codes == ["M001", "M002"]
