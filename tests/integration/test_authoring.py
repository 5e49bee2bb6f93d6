"""A new module is right from the start, a wrong one is caught, and what learners get holds no answer."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result
from nbgrader.api import Gradebook

from course.database import Database
from course.errors import Conflict, CourseError, FileProblems, NotFound
from course.quiz import read_quiz
from course.releases import Release, ReleaseStore
from course.state import StateFolder
from graders.authoring.build import build_course
from graders.authoring.leaks import leaks
from graders.authoring.lint import lint_course
from graders.authoring.publication import Calendar
from graders.authoring.release import release_generated, release_modules
from graders.authoring.starter import new_module
from graders.referee.strictness import is_strict
from hub_config.cli import spoc
from hub_config.settings import SAMPLE_MODULES_DIR, Settings, write_settings

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CALENDAR = Calendar(date(2026, 11, 23), "Europe/Paris")
SLUG = "first-steps"


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A course with one new module."""
    new_module(tmp_path / "modules", SLUG, title="First steps")
    return tmp_path / "modules"


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path)


@pytest.fixture
def course_dir(modules: Path, state: StateFolder) -> Path:
    """That course, built."""
    build_course(modules, state.course_dir)
    return state.course_dir


@pytest.fixture
def releases(tmp_path: Path) -> ReleaseStore:
    return ReleaseStore(Database(f"sqlite:///{tmp_path / 'spoc.sqlite'}"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def found(modules: Path) -> list[str]:
    return [f"{finding.path.name} {finding.code} {finding.message}" for finding in lint_course(modules)]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(spoc, ["module", *arguments], catch_exceptions=False)


def nbgrader(course_dir: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course_dir,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_new_module_has_no_finding(modules: Path) -> None:
    assert found(modules) == []


def test_a_second_new_module_has_no_finding_and_leaves_comments_alone(modules: Path) -> None:
    edit(modules / "course.yaml", "modules:", "# In this order.\nmodules:")
    new_module(modules, "second-steps", title='The "second": steps', skills=[SLUG])
    assert found(modules) == []
    assert (
        (modules / "course.yaml")
        .read_text()
        .endswith("# In this order.\nmodules:\n  - first-steps\n  - second-steps\n")
    )


def test_a_new_module_never_writes_over_another(modules: Path) -> None:
    before = sorted(modules.rglob("*"))
    with pytest.raises(Conflict):
        new_module(modules, SLUG)
    with pytest.raises(NotFound):
        new_module(modules, "other", skills=["no-such-skill"])
    with pytest.raises(CourseError):
        new_module(modules, "../other")
    assert sorted(modules.rglob("*")) == before


def test_a_solution_that_fails_and_a_stub_that_passes_are_both_found(modules: Path) -> None:
    exercises = modules / SLUG / "exercises.md"
    edit(exercises, 'return table["visitors"].median()', 'return table["visitors"].max()')
    edit(
        exercises,
        'assert total(visits) == 330, "The seven days have 330 visitors"',
        "assert visits is not None",
    )
    edit(exercises, 'assert total(pd.DataFrame({"visitors": [1, 2]})) == 3', "assert 1 + 2 == 3")
    assert found(modules) == [
        "exercises.md E015 total-tests passes with nothing written",
        "exercises.md E014 usual-tests: AssertionError: Half of the days have 30 visitors or fewer",
    ]


def test_partial_credit_that_a_solution_does_not_get_or_a_stub_gets_is_found(modules: Path) -> None:
    exercises = modules / SLUG / "exercises.md"
    edit(exercises, "### END HIDDEN TESTS\n```\n\n## 2", "### END HIDDEN TESTS\n0.5\n```\n\n## 2")
    assert [line.split(" ", 2)[1] for line in found(modules)] == ["E014"]
    edit(exercises, "total(visits)", "330")
    edit(exercises, 'total(pd.DataFrame({"visitors": [1, 2]}))', "3")
    assert any("E015" in line and "with nothing written" in line for line in found(modules))


def test_a_lesson_that_fails_is_found_unless_the_error_is_the_lesson(modules: Path) -> None:
    lesson = modules / SLUG / "lesson.md"
    edit(lesson, "\nvisits\n", "\nvisits.guests\n")
    assert found(modules) == ["lesson.md E016 AttributeError: 'DataFrame' object has no attribute 'guests'"]
    edit(
        lesson,
        "```{code-cell} ipython3\nimport",
        "```{code-cell} ipython3\n:tags: [raises-exception]\n\nimport",
    )
    assert found(modules) == []


def test_visible_tests_that_need_the_hidden_ones_and_a_broken_stub_are_found(modules: Path) -> None:
    exercises = modules / SLUG / "exercises.md"
    edit(
        exercises,
        "### END HIDDEN TESTS\n```\n\n## 2",
        "few = 1\n### END HIDDEN TESTS\nassert few == 1\n```\n\n## 2",
    )
    edit(
        exercises,
        '    return table["visitors"].median()\n    ### END',
        '    return table["visitors"].median(\n    ### END',
    )
    edit(
        exercises,
        "    ### END SOLUTION\n```\n\n```{code-cell} ipython3\n---\ntests: usual",
        "    ### END SOLUTION\n    )\n```\n\n```{code-cell} ipython3\n---\ntests: usual",
    )
    assert found(modules) == [
        "exercises.md E017 total-tests: NameError: name 'few' is not defined",
        "exercises.md E017 usual: the stub is no Python: SyntaxError: unmatched ')' (line 5)",
    ]


def test_linting_one_module_leaves_the_rest_of_the_course_alone(modules: Path) -> None:
    edit(
        modules / "skills.yaml", "skills:\n", "skills:\n  - {id: other, title: Other, description: Other.}\n"
    )
    assert [finding.code for finding in lint_course(modules)] == ["S006"]
    assert lint_course(modules, [SLUG]) == ()


def test_a_module_with_too_little_in_it_is_found(modules: Path) -> None:
    exercises = modules / SLUG / "exercises.md"
    text = exercises.read_text()
    kept, _ = text.split("## 2 · Mean")
    tests, hidden = kept.split("### BEGIN HIDDEN TESTS")
    exercises.write_text(
        tests.replace("skills: [first-steps]\n", "") + hidden.split("### END HIDDEN TESTS\n")[1]
    )
    edit(modules / SLUG / "lesson.md", "quiz: first-steps", "tags: []")
    assert [line.split()[1] for line in found(modules)] == ["E009", "E010", "E008", "E011", "E013"]


def test_a_cell_that_never_ends_is_found(modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graders.authoring.bench.CELL_SECONDS", 2)
    edit(modules / SLUG / "lesson.md", "\nvisits\n", "\nwhile True:\n    pass\n")
    assert found(modules)[0] == "lesson.md E016 it ran for more than 2 s"


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


def test_lint_prints_place_and_code_and_exits_with_1(modules: Path) -> None:
    edit(modules / SLUG / "module.yaml", "minutes: 45", "minutes: -1")
    result = run("lint", SLUG, "--modules-dir", str(modules))
    assert result.exit_code == 1
    path = modules / SLUG / "module.yaml"
    assert f"{path}:4: M001 minutes: input should be greater than 0\n" in result.output
    as_json = json.loads(run("lint", SLUG, "--modules-dir", str(modules), "--json").stdout)
    assert as_json["findings"][0] == {
        "path": str(path),
        "line": 4,
        "code": "M001",
        "severity": "error",
        "message": "minutes: input should be greater than 0",
    }


def test_building_again_gives_the_same_bytes(modules: Path, course_dir: Path) -> None:
    before = files(course_dir)
    build_course(modules, course_dir)
    assert files(course_dir) == before
    assert {path.name for path in before} == {
        "nbgrader_config.py",
        "lesson.ipynb",
        "exercises.ipynb",
        "visits.csv",
    }


def test_a_module_that_cannot_be_built_leaves_the_one_that_stood_there(
    modules: Path, course_dir: Path
) -> None:
    before = files(course_dir)
    edit(modules / SLUG / "lesson.md", "visits\n", "guests\n")
    edit(modules / SLUG / "exercises.md", "tests: usual", "tests: mean")
    with pytest.raises(FileProblems) as refused:
        build_course(modules, course_dir)
    assert refused.value.problems == (
        "line 76: E004 no cell has `tests: usual`",
        "line 87: E003 mean-tests is used already, in line 60",
    )
    assert files(course_dir) == before


def test_a_release_holds_no_answer_and_shows_when_it_is_due(
    modules: Path, state: StateFolder, course_dir: Path, releases: ReleaseStore
) -> None:
    (release,) = release_modules(modules, state, [SLUG], releases, CALENDAR, now=NOW)
    assert (release.title, release.notebooks) == ("First steps", ("lesson", "exercises"))
    assert release.due_at == datetime(2026, 11, 30, 22, 59, tzinfo=UTC)
    with Gradebook(state.gradebook_url) as gradebook:
        assert gradebook.find_assignment(SLUG).duedate == datetime(2026, 11, 30, 22, 59)
    folder = state.released_dir / SLUG
    assert files(course_dir / "release" / SLUG).keys() == {
        course_dir / "release" / SLUG / path.relative_to(folder) for path in files(folder)
    }
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "data/visits.csv",
        "exercises.ipynb",
        "lesson.ipynb",
    ]
    text = (folder / "exercises.ipynb").read_text() + (folder / "lesson.ipynb").read_text()
    for secret in (
        "SOLUTION",
        "HIDDEN",
        '.median()\\n",',
        "1 and 2 visitors are 3",
        "festival",
        "is the median",
    ):
        assert secret not in text.replace("Replace `sum() / len(visits)` by `median()`", "")
    assert "raise NotImplementedError()" in text


@pytest.mark.parametrize(
    "leak",
    [
        '    return table["visitors"].median()',
        'assert total(pd.DataFrame({"visitors": [1, 2]})) == 3, "1 and 2 visitors are 3"',
        "### BEGIN HIDDEN TESTS",
        "The mean uses every value. One large change moves it,\nhowever many values stay the same.",
    ],
    ids=["solution", "hidden test", "mark", "explanation"],
)
def test_an_answer_that_nbgrader_left_is_seen(
    modules: Path, course_dir: Path, tmp_path: Path, leak: str
) -> None:
    source, stripped = course_dir / "source" / SLUG, tmp_path / "stripped"
    shutil.copytree(source, stripped)
    for path in stripped.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if "nbgrader" not in cell.metadata]
        nbformat.write(notebook, path)
    quiz = read_quiz(modules / SLUG / "quiz.yaml")
    assert list(leaks(source, stripped, quiz)) == []
    notebook = nbformat.read(stripped / "lesson.ipynb", as_version=4)
    notebook.cells[0].source += f"\n{leak}"
    nbformat.write(notebook, stripped / "lesson.ipynb")
    assert len(list(leaks(source, stripped, quiz))) == 1


def test_nothing_is_released_while_the_quiz_lies_among_the_data(
    modules: Path, state: StateFolder, course_dir: Path, releases: ReleaseStore
) -> None:
    shutil.copy(modules / SLUG / "quiz.yaml", modules / SLUG / "data" / "quiz.yaml")
    build_course(modules, course_dir)
    with pytest.raises(CourseError, match=r"data/quiz\.yaml: holds the answer key"):
        release_modules(modules, state, [SLUG], releases, CALENDAR, now=NOW)
    assert list((course_dir / "release").iterdir()) == list(state.released_dir.iterdir()) == []
    assert releases.released() == ()


def test_a_link_among_the_sources_is_not_followed_into_a_release(
    modules: Path, state: StateFolder, course_dir: Path, releases: ReleaseStore, tmp_path: Path
) -> None:
    (tmp_path / "cookie_secret").write_text("secret")
    (course_dir / "source" / SLUG / "data" / "more.csv").symlink_to(tmp_path / "cookie_secret")
    with pytest.raises(CourseError, match=r"more\.csv is a link"):
        release_modules(modules, state, [SLUG], releases, CALENDAR, now=NOW)


def test_what_is_generated_reaches_learners_only_by_a_release_and_without_an_answer(
    modules: Path, state: StateFolder, course_dir: Path, releases: ReleaseStore
) -> None:
    nbgrader(course_dir, "generate_assignment", SLUG)
    (course_dir / "source" / SLUG / ".ipynb_checkpoints").mkdir()
    (course_dir / "source" / SLUG / ".ipynb_checkpoints" / "lesson-checkpoint.ipynb").write_text("{}")
    assert not state.released_dir.exists()
    lesson = course_dir / "release" / SLUG / "lesson.ipynb"
    generated = lesson.read_text()

    def release() -> Release:
        return release_generated(modules, state, SLUG, releases, CALENDAR, now=NOW)

    edit(lesson, '"cells": [', '"cells": [{"cell_type": "raw", "source": "### BEGIN HIDDEN TESTS"},')
    with pytest.raises(CourseError, match=r"lesson\.ipynb: '### BEGIN HIDDEN TESTS'"):
        release()
    lesson.write_text("no notebook")
    with pytest.raises(CourseError, match=r"lesson\.ipynb: cannot be read"):
        release()
    lesson.unlink()
    lesson.symlink_to(course_dir / "source" / SLUG / "lesson.ipynb")
    with pytest.raises(CourseError, match=r"lesson\.ipynb is a link"):
        release()
    assert files(state.released_dir) == {}
    assert releases.released() == ()
    lesson.unlink()
    lesson.write_text(generated)
    assert release().notebooks == ("lesson", "exercises")
    assert (state.released_dir / SLUG / "lesson.ipynb").read_text() == generated


def test_releasing_runs_no_code_of_the_course_directory(
    modules: Path, state: StateFolder, course_dir: Path, releases: ReleaseStore, tmp_path: Path
) -> None:
    (course_dir / "nbgrader_config.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    release_modules(modules, state, [SLUG], releases, CALENDAR, now=NOW)
    assert not (tmp_path / "ran").exists()


def test_only_what_is_built_is_released(
    modules: Path, state: StateFolder, course_dir: Path, releases: ReleaseStore
) -> None:
    new_module(modules, "second-steps")
    with pytest.raises(NotFound, match="spoc module build second-steps"):
        release_modules(modules, state, [SLUG, "second-steps"], releases, CALENDAR, now=NOW)
    assert releases.released() == ()


def test_nbgraders_commands_work_on_the_built_course(course_dir: Path) -> None:
    nbgrader(course_dir, "generate_assignment", SLUG)
    exercises = f"source/{SLUG}/exercises.ipynb"
    assert "Success! Your notebook passes all the tests." in nbgrader(course_dir, "validate", exercises)
    for learner, step in (("ada", "source"), ("bob", "release")):
        shutil.copytree(course_dir / step / SLUG, course_dir / "submitted" / learner / SLUG)
    nbgrader(course_dir, "autograde", SLUG)
    with Gradebook(f"sqlite:///{course_dir / 'gradebook.db'}") as gradebook:
        points = {
            learner: gradebook.find_submission_notebook("exercises", SLUG, learner).score
            for learner in ("ada", "bob")
        }
    assert points == {"ada": 6, "bob": 0}


def test_releasing_before_building_says_what_to_do(modules: Path, tmp_path: Path) -> None:
    places = ["--modules-dir", str(modules), "--state-dir", str(tmp_path / "state")]
    result = run("release", SLUG, *places)
    assert result.exit_code == 1
    assert result.stderr.endswith(f"Run: spoc module build {SLUG}\n")


def test_the_command_line_takes_a_module_from_new_to_released(tmp_path: Path) -> None:
    places = ["--modules-dir", str(tmp_path / "modules"), "--state-dir", str(tmp_path / "state")]
    assert run("new", SLUG, *places).exit_code == 0
    built = json.loads(run("build", *places, "--json").stdout)
    assert [each["module"] for each in built["built"]] == [SLUG]
    released = json.loads(run("release", SLUG, *places, "--json").stdout)
    assert released == {"released": [{"module": SLUG, "due_at": None}]}


def test_a_due_date_is_told_to_people_in_the_courses_time_zone_and_to_scripts_in_utc(
    modules: Path, state: StateFolder, course_dir: Path
) -> None:
    settings = {"modules_dir": modules, "cohort_start": "2026-11-23", "time_zone": "Asia/Tokyo"}
    write_settings(state, Settings.model_validate(settings))
    places = ["--state-dir", str(state.root)]
    (day,) = json.loads(run("release", SLUG, *places, "--json").stdout)["released"]
    assert day["due_at"] == "2026-11-30T14:59:00+00:00"
    assert (
        run("release", SLUG, *places).stdout
        == "Released first-steps, due Mon 30 Nov 2026, 23:59 (Asia/Tokyo)\n"
    )


def test_the_sample_course_has_no_finding() -> None:
    assert [str(finding) for finding in lint_course(SAMPLE_MODULES_DIR)] == []


def test_the_sample_course_is_built_and_released(tmp_path: Path, releases: ReleaseStore) -> None:
    built = [folder.name for folder in build_course(SAMPLE_MODULES_DIR, tmp_path / "course")]
    released = release_modules(SAMPLE_MODULES_DIR, StateFolder(tmp_path), built, releases, CALENDAR, now=NOW)
    assert [release.assignment for release in released] == built
    assert (StateFolder(tmp_path).released_dir / "welcome.ipynb").is_file()
