"""Checks modules as their learners will meet them; the checks that need no notebook are `course.survey`'s."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from course.lint import LEAST_TESTS, Finding
from course.manifest import MODULE_FILE
from course.survey import (
    Assessment,
    Survey,
    manifest_findings,
    quiz_assessments,
    quiz_findings,
    skill_findings,
    survey_course,
    unassessed_skills,
)
from graders.authoring.bench import warm_for
from graders.authoring.build import WELCOME
from graders.authoring.forgeable import forgeable_by_text
from graders.authoring.prove import prove_module
from graders.authoring.regions import HIDDEN_TESTS, has_code, split
from graders.authoring.source import SourceNotebook, read_source


def lint_course(modules_dir: Path, slugs: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Return what is to be mended in the modules `slugs`, or in the whole course; sorted by file and line.

    Runs the notebooks of each module whose files have no other mistake.
    """
    survey = survey_course(modules_dir)
    listed = survey.course.modules if survey.course else ()
    # Of the course as a whole, only what hides the modules' own mistakes stands beside them.
    found = [finding for finding in survey.findings if not slugs or finding.code == "M001"]
    welcome = modules_dir / f"{WELCOME}.md"
    if not slugs and welcome.exists():
        found += read_source(welcome).findings
    modules = []
    for slug in slugs or listed:
        if (modules_dir / slug).is_dir():
            modules.append(check_module(survey, slug))
        elif slug not in listed:
            found.append(Finding(modules_dir / slug / MODULE_FILE, 1, "M002", f"there is no module {slug}"))
    found += [finding for module in modules for finding in module.findings]
    found += prove_modules([module for module in modules if module.can_run])
    return tuple(sorted(set(found)))


@dataclass(frozen=True, slots=True)
class CheckedModule:
    """A module, and what its files say without being run."""

    folder: Path
    lesson: SourceNotebook
    exercises: SourceNotebook
    is_strict: bool
    """It refuses tests that can be forged."""
    findings: tuple[Finding, ...]

    @property
    def can_run(self) -> bool:
        return not self.lesson.findings and not self.exercises.findings


def prove_modules(modules: Sequence[CheckedModule]) -> tuple[Finding, ...]:
    """Return what is to be mended according to the notebooks' own runs.

    Raises:
        CourseError: The platform could not run them.
    """
    if not modules:
        return ()
    with warm_for(source for module in modules for source in (module.lesson, module.exercises)) as warm:
        proofs = [
            prove_module(each.lesson, each.exercises, each.folder / "data", warm, strict=each.is_strict)
            for each in modules
        ]
    return tuple(finding for proof in proofs for finding in proof)


def check_module(survey: Survey, slug: str) -> CheckedModule:
    """Return a module, and what is to be mended in it without running anything."""
    folder = survey.modules_dir / slug
    lesson, exercises = read_source(folder / "lesson.md"), read_source(folder / "exercises.md")
    quiz, in_quiz = quiz_findings(folder)
    assessments = [*_assessments(exercises), *(quiz_assessments(folder, quiz) if quiz else ())]
    manifest = survey.modules.get(slug)
    is_strict = manifest is not None and manifest.referee == "strict"
    found = [
        *manifest_findings(survey, slug),
        *in_quiz,
        *lesson.findings,
        *exercises.findings,
        *_lesson_findings(lesson, slug),
        *_exercise_findings(exercises),
        *forgeable_by_text(exercises, strict=is_strict),
        *skill_findings(survey, slug, assessments),
    ]
    if quiz and exercises.cells:
        found += unassessed_skills(survey, slug, assessments)
    return CheckedModule(folder, lesson, exercises, is_strict, tuple(found))


def _lesson_findings(lesson: SourceNotebook, slug: str) -> Iterator[Finding]:
    if not lesson.cells:
        return
    last = lesson.cells[-1]
    for cell in lesson.cells[:-1]:
        if cell.kind:
            yield Finding(
                lesson.path, cell.line, "E013", f"{cell.grade_id} stands before the end of the lesson"
            )
    if last.kind != "quiz" or last.grade_id != f"quiz-{slug}":
        yield Finding(lesson.path, last.line, "E013", f"the last cell is not the one with `quiz: {slug}`")


def _exercise_findings(exercises: SourceNotebook) -> Iterator[Finding]:
    if not exercises.cells:
        return
    tests = [cell for cell in exercises.cells if cell.kind == "tests"]
    written = [cell for cell in exercises.cells if cell.kind == "written"]
    if len(tests) < LEAST_TESTS:
        yield Finding(exercises.path, 1, "E009", f"{len(tests)} of at least {LEAST_TESTS} tests cells")
    if not written:
        yield Finding(exercises.path, 1, "E010", "no cell has `written: <id>`")
    for cell in tests:
        parts = split(cell.source, HIDDEN_TESTS)
        if not has_code(parts.visible):
            yield Finding(exercises.path, cell.line, "E007", f"{cell.grade_id} tells a learner nothing")
        if not has_code(parts.secret):
            yield Finding(exercises.path, cell.line, "E008", f"{cell.grade_id} accepts a hard-coded answer")
    for cell in [*tests, *written]:
        if not cell.skills:
            yield Finding(exercises.path, cell.line, "E011", f"{cell.grade_id} counts for no skill")
    for cell in exercises.cells:
        if cell.kind == "quiz":
            yield Finding(exercises.path, cell.line, "E013", "the quiz belongs into the lesson")


def _assessments(exercises: SourceNotebook) -> Iterator[Assessment]:
    for cell in exercises.cells:
        if cell.kind in ("tests", "written"):
            yield Assessment(exercises.path, cell.line, cell.grade_id, cell.skills)
