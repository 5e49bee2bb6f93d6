"""A test that can be forged is named, and refused where the referee is strict."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from course.errors import CourseError, FileProblems
from course.releases import ReleaseStore
from course.state import StateFolder
from graders.authoring.build import build_course
from graders.authoring.lint import lint_course
from graders.authoring.release import release_modules
from graders.referee.strictness import is_strict
from tests.integration.authoring.course import CALENDAR, NOW, SLUG, edit, run

USUAL_TEST = "assert usual(visits) == 30, "

BESIDE = "assert 'visits' in globals()\nassert usual(visits) == 30, "

PATCHES = """\
median, pd.Series.median = pd.Series.median, lambda self: 7
assert usual(visits) == 7
pd.Series.median = median
assert usual(visits) == 30, """


def test_a_test_that_can_be_forged_is_a_warning_with_its_reason(modules: Path) -> None:
    edit(modules / SLUG / "exercises.md", USUAL_TEST, BESIDE)
    result = run("lint", SLUG, "--modules-dir", str(modules))
    assert result.exit_code == 0
    assert "exercises.md:" in result.stdout
    assert (
        " W001 usual-tests runs beside learner code: it looks into the notebook's names with globals()"
        " (line 1 of the test)\n" in result.stdout
    )
    assert result.stderr == "Nothing to fix. 1 to think about.\n"


def test_a_test_of_which_only_a_run_tells_that_it_can_be_forged_is_found(modules: Path) -> None:
    edit(modules / SLUG / "exercises.md", USUAL_TEST, PATCHES)
    (finding,) = lint_course(modules, [SLUG])
    assert finding.code == "W001"
    assert finding.message.startswith("usual-tests runs beside learner code: apart from the learner's code ")


def test_a_strict_module_refuses_a_test_that_can_be_forged_in_lint_and_in_build(
    modules: Path, state: StateFolder
) -> None:
    with (modules / SLUG / "module.yaml").open("a") as manifest:
        manifest.write("referee: strict\n")
    assert lint_course(modules, [SLUG]) == ()
    (folder,) = build_course(modules, state.course_dir)
    assert is_strict(nbformat.read(folder / "exercises.ipynb", as_version=4))
    edit(modules / SLUG / "exercises.md", USUAL_TEST, BESIDE)
    assert [finding.code for finding in lint_course(modules, [SLUG])] == ["E018"]
    with pytest.raises(FileProblems, match=r"E018 usual-tests runs beside learner code"):
        build_course(modules, state.course_dir)


def test_a_strict_module_is_not_released_from_a_source_that_can_be_forged(
    modules: Path, state: StateFolder, course_dir: Path, releases: ReleaseStore
) -> None:
    with (modules / SLUG / "module.yaml").open("a") as manifest:
        manifest.write("referee: strict\n")
    with pytest.raises(CourseError, match="it does not say `referee: strict`"):
        release_modules(modules, state, [SLUG], releases, CALENDAR, now=NOW)
    build_course(modules, state.course_dir)
    exercises = course_dir / "source" / SLUG / "exercises.ipynb"
    built = exercises.read_text()
    edit(exercises, "assert usual(visits) == 30", "assert globals() and usual(visits) == 30")
    with pytest.raises(CourseError, match=r"usual-tests: it looks into the notebook's names"):
        release_modules(modules, state, [SLUG], releases, CALENDAR, now=NOW)
    assert releases.released() == ()
    exercises.write_text(built)
    assert release_modules(modules, state, [SLUG], releases, CALENDAR, now=NOW)
