"""A course's YAML files looked at together: what is wrong with each, and what they say of one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from course.document import check_document, line_of
from course.lint import LEAST_QUESTIONS, Finding
from course.manifest import COURSE_FILE, MODULE_FILE, CourseManifest, ModuleManifest
from course.quiz import Quiz, SingleChoice
from course.quiz.model import QUIZ_FILE
from course.skills import SKILLS_FILE, SkillMap

Model = TypeVar("Model", bound=BaseModel)

LEAST_FOR_A_CUE = 4
"""Single-choice questions from which on it is no chance that the longest choice is always right."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """One question or graded cell that assesses skills; `name` is how a person finds it in the file."""

    path: Path
    line: int
    name: str
    skills: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """What could be read of a course; a file with findings is missing here."""

    modules_dir: Path
    course: CourseManifest | None
    skills: SkillMap | None
    modules: Mapping[str, ModuleManifest]
    findings: tuple[Finding, ...]

    def taught_before(self, slug: str) -> frozenset[str]:
        """Skills of all modules that come earlier in the course."""
        order = self.course.modules if self.course else ()
        earlier = order[: order.index(slug)] if slug in order else ()
        return frozenset(
            skill for name in earlier if name in self.modules for skill in self.modules[name].teaches
        )


def survey_course(modules_dir: Path) -> Survey:
    """Read course.yaml, skills.yaml and every module.yaml; findings that concern the course as a whole."""
    course, findings = _checked(modules_dir / COURSE_FILE, CourseManifest)
    skills, more = _checked(modules_dir / SKILLS_FILE, SkillMap)
    findings += more
    modules = {}
    listed = course.modules if course else ()
    for index, slug in enumerate(listed):
        if not (modules_dir / slug).is_dir():
            line = line_of(modules_dir / COURSE_FILE, ("modules", index))
            findings.append(Finding(modules_dir / COURSE_FILE, line, "M002", f"there is no folder {slug}"))
    for path in sorted(modules_dir.glob(f"*/{MODULE_FILE}")):
        slug = path.parent.name
        manifest, _ = check_document(path, ModuleManifest, context={"folder": slug})
        if manifest:
            modules[slug] = manifest
        if course and slug not in listed:
            findings.append(Finding(path, 1, "M003", f"{slug} is not among the modules of {COURSE_FILE}"))
    survey = Survey(modules_dir, course, skills, modules, ())
    return replace(survey, findings=tuple(sorted([*findings, *_untaught_skills(survey)])))


def manifest_findings(survey: Survey, slug: str) -> list[Finding]:
    """Return what is wrong with one module.yaml, by itself and in its place in the course."""
    path = survey.modules_dir / slug / MODULE_FILE
    manifest, findings = _checked(path, ModuleManifest, folder=slug)
    if manifest is None or survey.skills is None:
        return findings
    known = manifest.teaches + manifest.requires
    before = survey.taught_before(slug)
    for field, names in (("teaches", manifest.teaches), ("requires", manifest.requires)):
        for index, skill in enumerate(names):
            line = line_of(path, (field, index))
            if skill not in survey.skills.ids:
                findings.append(Finding(path, line, "S001", f"there is no skill {skill} in {SKILLS_FILE}"))
            elif field == "requires" and skill not in before:
                findings.append(Finding(path, line, "S004", f"no earlier module teaches {skill}"))
            elif field == "teaches":
                missing = [
                    need for need in survey.skills.get(skill).requires if need not in {*known, *before}
                ]
                message = f"{skill} builds on {', '.join(missing)}, which no module up to here teaches"
                findings += [Finding(path, line, "S005", message)] if missing else []
    return findings


def quiz_findings(module_dir: Path) -> tuple[Quiz | None, list[Finding]]:
    """Read a module's quiz.yaml; return it, if it can be used, and what is weak in it."""
    path = module_dir / QUIZ_FILE
    if not path.exists():
        return None, [Finding(path, 1, "M002", "the file does not exist")]
    quiz, problems = check_document(path, Quiz)
    if quiz is None:
        return None, [
            Finding(
                path, problem.line, "Q003" if problem.where.endswith("feedback") else "Q001", problem.text
            )
            for problem in problems
        ]
    findings = []
    if len(quiz.questions) < LEAST_QUESTIONS:
        message = f"{len(quiz.questions)} questions; at least {LEAST_QUESTIONS} are needed to judge by"
        findings.append(Finding(path, 1, "Q002", message))
    single = [question for question in quiz.questions if isinstance(question, SingleChoice)]
    if len(single) >= LEAST_FOR_A_CUE and all(map(_right_is_longest, single)):
        findings.append(Finding(path, 1, "Q004", "who picks the longest choice each time is always right"))
    return quiz, findings


def quiz_assessments(module_dir: Path, quiz: Quiz) -> Iterator[Assessment]:
    """Yield each question with the skills it assesses."""
    path = module_dir / QUIZ_FILE
    for index, question in enumerate(quiz.questions):
        line = line_of(path, ("questions", index))
        yield Assessment(path, line, f"question {question.id}", question.skills)


def skill_findings(survey: Survey, slug: str, assessments: list[Assessment]) -> list[Finding]:
    """Return where something assesses a skill that a learner could not yet have."""
    manifest, skills = survey.modules.get(slug), survey.skills
    if manifest is None or skills is None:
        return []
    findings = []
    expected = {*manifest.teaches, *manifest.requires, *survey.taught_before(slug)}
    for assessment in assessments:
        for skill in assessment.skills:
            if skill not in skills.ids:
                code, reason = "S001", f"there is no skill {skill} in {SKILLS_FILE}"
            elif skill not in expected:
                code, reason = "S003", f"it assesses {skill}, which no module up to here teaches"
            else:
                continue
            findings.append(Finding(assessment.path, assessment.line, code, f"{assessment.name}: {reason}"))
    return findings


def unassessed_skills(survey: Survey, slug: str, assessments: list[Assessment]) -> list[Finding]:
    """Return what a module teaches and none of its `assessments`, which must be all, assesses."""
    manifest, skills = survey.modules.get(slug), survey.skills
    if manifest is None or skills is None:
        return []
    assessed = {skill for assessment in assessments for skill in assessment.skills}
    path = survey.modules_dir / slug / MODULE_FILE
    return [
        Finding(
            path, line_of(path, ("teaches", index)), "S002", f"no question and no exercise assesses {skill}"
        )
        for index, skill in enumerate(manifest.teaches)
        if skill not in assessed and skill in skills.ids
    ]


def _checked(path: Path, model: type[Model], **context: str) -> tuple[Model | None, list[Finding]]:
    if not path.exists():
        return None, [Finding(path, 1, "M002", "the file does not exist")]
    document, problems = check_document(path, model, context=context)
    return document, [Finding(path, problem.line, "M001", problem.text) for problem in problems]


def _untaught_skills(survey: Survey) -> Iterator[Finding]:
    listed = survey.course.modules if survey.course else ()
    if survey.skills is None or not listed or not all(slug in survey.modules for slug in listed):
        return
    taught = {skill for slug in listed for skill in survey.modules[slug].teaches}
    path = survey.modules_dir / SKILLS_FILE
    for index, skill in enumerate(survey.skills.skills):
        if skill.id not in taught:
            yield Finding(path, line_of(path, ("skills", index)), "S006", f"no module teaches {skill.id}")


def _right_is_longest(question: SingleChoice) -> bool:
    right = next(len(choice.text) for choice in question.choices if choice.correct)
    return all(len(choice.text) < right for choice in question.choices if not choice.correct)
