"""What learners get holds no answer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import nbformat
import pytest
from nbgrader.api import Gradebook

from course.errors import CourseError, NotFound
from course.quiz import read_quiz
from course.releases import Release, ReleaseStore
from course.state import StateFolder
from graders.authoring import publication
from graders.authoring.build import build_course, replacement
from graders.authoring.leaks import leaks
from graders.authoring.release import release_generated, release_modules
from graders.authoring.starter import new_module
from hub_config.settings import SAMPLE_MODULES_DIR, Settings, write_settings
from tests.integration.authoring.course import CALENDAR, NOW, SLUG, edit, files, nbgrader, run

MEETING_SECONDS = 3


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


def test_trainers_who_release_at_once_do_so_one_after_the_other(
    modules: Path,
    state: StateFolder,
    course_dir: Path,
    releases: ReleaseStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release_modules(modules, state, [SLUG], releases, CALENDAR, now=NOW)
    before = files(state.released_dir)
    meeting, met = Barrier(2), list[Path]()

    @contextmanager
    def watched(target: Path) -> Iterator[Path]:
        with replacement(target) as folder:
            with suppress(BrokenBarrierError):
                meeting.wait(MEETING_SECONDS)
                met.append(target)
            yield folder

    monkeypatch.setattr(publication, "replacement", watched)

    def release(_number: int) -> Release:
        return release_generated(modules, state, SLUG, releases, CALENDAR, now=NOW)

    with ThreadPoolExecutor(2) as trainers:
        assert {release.assignment for release in trainers.map(release, range(2))} == {SLUG}
    assert met == [], "two renewed one folder at the same time"
    assert files(state.released_dir) == before


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


def test_releasing_before_building_says_what_to_do(modules: Path, tmp_path: Path) -> None:
    places = ["--modules-dir", str(modules), "--state-dir", str(tmp_path / "state")]
    result = run("release", SLUG, *places)
    assert result.exit_code == 1
    assert result.stderr.endswith(f"Run: spoc module build {SLUG}\n")


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


def test_the_sample_course_is_built_and_released(tmp_path: Path, releases: ReleaseStore) -> None:
    built = [folder.name for folder in build_course(SAMPLE_MODULES_DIR, tmp_path / "course")]
    released = release_modules(SAMPLE_MODULES_DIR, StateFolder(tmp_path), built, releases, CALENDAR, now=NOW)
    assert [release.assignment for release in released] == built
    assert (StateFolder(tmp_path).released_dir / "welcome.ipynb").is_file()
