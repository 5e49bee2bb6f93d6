"""Builds modules into an nbgrader course directory: `source/<slug>/`, configuration, learners' first page.

A module appears whole or not at all: it is written beside its place and then renamed into it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp, mkstemp

import nbformat

from course.errors import FileProblems, NotFound
from course.lint import Finding
from course.manifest import CourseManifest, read_course, read_module
from course.quiz import read_quiz
from course.quiz.model import QUIZ_FILE
from graders.authoring.forgeable import forgeable_by_text
from graders.authoring.source import SourceNotebook, read_source

NOTEBOOKS = ("lesson", "exercises")
"""Names of a module's notebooks, in the order in which a learner reads them."""
WELCOME = "welcome"
CONFIG_FILE = "nbgrader_config.py"
_UNFORGEABLE = "Change the tests, or take `referee: strict` out of module.yaml."

_CONFIG = """\
# Written by `spoc module build`; an ordinary nbgrader configuration.
from pathlib import Path

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = {course_id!r}
c.CourseDirectory.root = str(Path(__file__).resolve().parent)

# `nbgrader autograde` runs learners' code in the sandbox and counts quiz points. A trainer's own server has
# no such part: there the grading worker grades.
try:
    from graders.preprocessors import configure
except ModuleNotFoundError:
    pass
else:
    configure(c)
"""


def build_course(modules_dir: Path, course_dir: Path, slugs: Sequence[str] | None = None) -> tuple[Path, ...]:
    """Build modules (all of the course unless `slugs` names some), configuration and first page.

    Returns:
        The folders `source/<slug>` in the order of building.

    Raises:
        FileProblems: A file cannot be used. Modules built before it stay.
        NotFound: The course has no module of that name.
    """
    course = read_course(modules_dir)
    chosen = chosen_modules(course, slugs)
    course_dir.mkdir(parents=True, exist_ok=True)
    for folder in ("source", "release"):
        (course_dir / folder).mkdir(exist_ok=True)
    write_config(course_dir, course.id)
    built = tuple(build_module(modules_dir / slug, course_dir) for slug in chosen)
    build_welcome(modules_dir, course_dir)
    return built


def chosen_modules(course: CourseManifest, slugs: Sequence[str] | None) -> tuple[str, ...]:
    """Return `slugs` once it is sure that the course has them; all modules if there are none.

    Raises:
        NotFound: The course has no module of that name.
    """
    for slug in slugs or ():
        if slug not in course.modules:
            known = ", ".join(course.modules)
            raise NotFound(f"The course has no module {slug!r}.", f"course.yaml lists: {known}.")
    return tuple(slugs) if slugs else course.modules


def build_module(module_dir: Path, course_dir: Path) -> Path:
    """Build one module; return its folder `source/<slug>`.

    Raises:
        FileProblems: One of its files cannot be used, or it is strict and holds a test that can be forged.
    """
    manifest = read_module(module_dir)
    quiz_points, strict = read_quiz(module_dir / QUIZ_FILE).points, manifest.referee == "strict"
    sources = [usable_source(module_dir / f"{name}.md") for name in NOTEBOOKS]
    for source in sources:
        if strict and (found := list(forgeable_by_text(source, strict=True))):
            raise FileProblems(source.path, [_listed(finding) for finding in found], _UNFORGEABLE)
    target = course_dir / "source" / manifest.slug
    with replacement(target) as folder:
        for source in sources:
            nbformat.write(source.built(quiz_points, strict=strict), folder / f"{source.name}.ipynb")
        if (module_dir / "data").is_dir():
            shutil.copytree(module_dir / "data", folder / "data", ignore=shutil.ignore_patterns(".*"))
    return target


def build_welcome(modules_dir: Path, course_dir: Path) -> None:
    """Write `release/welcome.ipynb` from welcome.md; nothing if the course has none.

    Raises:
        FileProblems: It cannot be used.
    """
    path = modules_dir / f"{WELCOME}.md"
    if not path.exists():
        return
    source = usable_source(path)
    if graded := [cell for cell in source.cells if cell.kind]:
        raise FileProblems(path, [f"line {cell.line}: nothing is graded on this page" for cell in graded])
    _write(course_dir / "release" / f"{WELCOME}.ipynb", nbformat.writes(source.built()) + "\n")


def usable_source(path: Path) -> SourceNotebook:
    """Read a notebook that is to be built.

    Raises:
        FileProblems: It has findings; every one is named.
    """
    source = read_source(path)
    if source.findings:
        raise FileProblems(path, [_listed(finding) for finding in source.findings])
    return source


def write_config(course_dir: Path, course_id: str) -> None:
    """Write the configuration that nbgrader finds in the course directory, wherever that is mounted."""
    _write(course_dir / CONFIG_FILE, _CONFIG.format(course_id=course_id))


@contextmanager
def replacement(target: Path) -> Iterator[Path]:
    """Give an empty folder beside `target`; on leaving without an error it takes the target's place.

    Everybody may read what is in it: the folders above decide who gets there.
    """
    scratch = Path(mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        folder = scratch / target.name
        folder.mkdir()
        yield folder
        _let_everybody_read(folder)
        if target.exists():
            target.rename(scratch / "old")
        folder.rename(target)
    finally:
        shutil.rmtree(scratch)


def _write(target: Path, text: str) -> None:
    """Replace a file as a whole; a link in its place is replaced, not followed."""
    descriptor, name = mkstemp(prefix=".", dir=target.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    _let_read(Path(name), target.parent.stat())
    Path(name).replace(target)


def _let_everybody_read(folder: Path) -> None:
    owner = folder.parent.parent.stat()
    for path in (folder, *folder.rglob("*")):
        _let_read(path, owner)


def _let_read(path: Path, owner: os.stat_result) -> None:
    path.chmod(0o755 if path.is_dir() else 0o644)
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _listed(finding: Finding) -> str:
    return f"line {finding.line}: {finding.code} {finding.message}"
