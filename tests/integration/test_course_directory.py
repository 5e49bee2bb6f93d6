"""`spoc grade run --course-dir` in the place of `nbgrader autograde`: choices, settings, names, folders."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sysconfig
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner

from hub_config.cli import spoc
from tests.equality.cells import answer, locked_tests, notebook
from tests.equality.course import CONFIG_FILE, Course, Submission, assignment, write_course
from tests.equality.rows import Grade, gradebook_rows
from tests.equality.stock import environment

NAME = "Übung 1 (à la carte)"
NOTEBOOKS = ("deux – été", "one (1)")
STUDENTS = ("Zoé Müller", "ann@example.org", "bob")
SCRIPTS = Path(sysconfig.get_path("scripts"))


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "my course"
    work = {
        name: notebook(
            answer(f"answer-{number}", "### BEGIN SOLUTION\ntotal = 3\n### END SOLUTION"),
            locked_tests(f"tests-{number}", "assert total == int(open('daten/größe.txt').read())", points=2),
        )
        for number, name in enumerate(NOTEBOOKS)
    }
    files = {"daten/größe.txt": "3"}
    submissions = (
        Submission(STUDENTS[0], submitted_at="2026-03-01 10:00:00 UTC"),
        Submission(STUDENTS[1], {"answer-0": "total = 4"}),
        Submission(STUDENTS[2], without=(NOTEBOOKS[1],)),
    )
    write_course(Course("names", (assignment(NAME, work, *submissions, files=files),)), folder)
    return folder


@pytest.fixture
def course(made_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_once, tmp_path / "my course"))


def configure(course: Path, text: str) -> None:
    with (course / CONFIG_FILE).open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")


def grade(course: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Run the command from somewhere else; return its JSON, or nothing if it had none to give."""
    command = [str(SCRIPTS / "spoc"), "grade", "run", NAME, "--course-dir", str(course), "--json", *arguments]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr[-3000:]
    return dict(json.loads(done.stdout)) if done.stdout else {}


def refusal(course: Path) -> str:
    """Run the command; return why it does nothing."""
    result = CliRunner().invoke(spoc, ["grade", "run", NAME, "--course-dir", str(course)])
    assert result.exit_code == 1
    return result.output


def autograde(course: Path, *arguments: str) -> tuple[int, str]:
    """Run nbgrader's own command; return its exit code and what it said."""
    home = course.parent / "home"
    home.mkdir(exist_ok=True)
    command = [str(SCRIPTS / "nbgrader"), "autograde", NAME, *arguments]
    done = subprocess.run(
        command, cwd=course, env=environment(home), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def scores(course: Path) -> Mapping[tuple[str, str], float | None]:
    """Return automatic scores by student and test."""
    rows = gradebook_rows(course).items()
    return {(key[1][1], key[1][3]): row.auto_score for key, row in rows if isinstance(row, Grade)}


def students(course: Path) -> set[str]:
    with closing(sqlite3.connect(course / "gradebook.db")) as gradebook:
        return {student for (student,) in gradebook.execute("select id from student")}


def autograded(course: Path, student: str) -> set[str]:
    folder = course / "autograded" / student / NAME
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_names_of_any_language_and_a_folder_elsewhere_give_what_nbgrader_gives(course: Path) -> None:
    stock = Path(shutil.copytree(course, course.with_name("stock")))
    assert grade(course)["failed"] == 0
    code, said = autograde(stock)
    assert code == 0, said
    assert scores(course) == scores(stock)
    assert scores(course)["Zoé Müller", "tests-1"] == 2
    for student in STUDENTS:
        assert autograded(course, student) == autograded(stock, student)


def test_only_the_chosen_notebook_is_graded_and_the_others_stay(course: Path) -> None:
    grade(course, "--student", "Zo*")
    place = course / "autograded" / STUDENTS[0] / NAME
    before = {name: (place / f"{name}.ipynb").read_bytes() for name in NOTEBOOKS}
    for name in NOTEBOOKS:
        path = course / "submitted" / STUDENTS[0] / NAME / f"{name}.ipynb"
        submitted = nbformat.read(path, as_version=4)
        submitted.cells[0].source = "total = 5"
        nbformat.write(submitted, path)
    report = grade(course, "--notebook", "one*", "--force", "--student", STUDENTS[0])
    assert [(line["points"], line["max_points"]) for line in report["submissions"]] == [(0, 2)]
    after = {name: (place / f"{name}.ipynb").read_bytes() for name in NOTEBOOKS}
    assert {name: before[name] == after[name] for name in NOTEBOOKS} == dict(
        zip(NOTEBOOKS, (True, False), strict=True)
    )
    assert scores(course)[STUDENTS[0], "tests-0"] == 2
    # Whose notebook is not there yet is graded; who has none of the chosen is no failure.
    report = grade(course, "--notebook", "one*")
    assert {line["student"]: line["points"] for line in report["submissions"]} == {
        STUDENTS[1]: 2,
        "bob": None,
    }
    assert report["skipped"] == [STUDENTS[0]]
    assert autograded(course, STUDENTS[1]) == {"one (1).ipynb", "daten/größe.txt"}
    assert grade(course, "--notebook", "three", code=1) == {}


def test_nobody_is_added_to_the_gradebook_where_the_course_wants_that(course: Path) -> None:
    configure(course, "c.Autograde.create_student = False")
    with closing(sqlite3.connect(course / "gradebook.db")) as gradebook, gradebook:
        gradebook.execute("insert into student (id) values (?)", (STUDENTS[0],))
    report = grade(course, code=1)
    assert {line["student"]: line["points"] for line in report["submissions"]} == {
        STUDENTS[0]: 4,
        STUDENTS[1]: None,
        STUDENTS[2]: None,
    }
    assert "create_student" in report["submissions"][1]["problem"]
    assert students(course) == {STUDENTS[0]}
    assert autograded(course, "bob") == set()


HOOKS = """
from pathlib import Path


def before(assignment, student, notebooks):
    for each in notebooks:
        path = Path(each)
        path.write_text(path.read_text().replace("total = 4", "total = 3"))


def after(assignment, student, notebooks):
    place = Path(notebooks[0]).parent
    graded = Path(str(place).replace("/submitted/", "/autograded/"))
    with open(Path(__file__).with_name("told.txt"), "a") as told:
        print(assignment, student, place.parent.name, len(notebooks), graded.is_dir(), file=told)
    if place.parent.name == "bob":
        raise KeyError("no mail address")
"""


def test_the_hooks_of_a_course_are_called_around_each_submission(course: Path) -> None:
    (course / "hooks.py").write_text(HOOKS)
    configure(course, "import hooks\nc.Autograde.pre_convert_hook = 'hooks.before'")
    configure(course, "c.Autograde.post_convert_hook = hooks.after")
    report = grade(course)
    told = sorted((course / "told.txt").read_text().splitlines())
    assert told == [f"{NAME} * {who} {count} True" for who, count in zip(STUDENTS, (2, 2, 1), strict=True)]
    assert [line["points"] for line in report["submissions"]] == [4, 4, 2]
    remarks = [remark["text"] for line in report["submissions"] for remark in line["remarks"]]
    assert remarks == ["post_convert_hook failed: KeyError: 'no mail address'"]
    configure(course, "c.Autograde.pre_convert_hook = 'hooks.gone'")
    assert grade(course, code=1) == {}


def test_a_gradebook_elsewhere_and_folders_of_another_name_are_those_of_the_configuration(
    course: Path,
) -> None:
    (course / "grades").mkdir()
    (course / "gradebook.db").rename(course / "grades" / "all.db")
    (course / "submitted").rename(course / "handed in")
    configure(
        course,
        "c.CourseDirectory.db_url = 'sqlite:///grades/all.db'\n"
        "c.CourseDirectory.submitted_directory = 'handed in'\n"
        "c.CourseDirectory.student_id_exclude = 'bob'\n"
        "c.Execute.enabled = False",
    )
    report = grade(course)
    assert [line["points"] for line in report["submissions"]] == [4, 2]
    assert report["excluded"] == ["bob"]
    assert grade(course, "--student", "bob")["submissions"] == []
    assert "Execute.enabled" in report["notes"][0]
    assert not (course / "gradebook.db").exists()


def test_folders_of_a_course_that_a_group_shares_are_writable_by_the_group(course: Path) -> None:
    configure(course, "c.CourseDirectory.groupshared = True")
    grade(course, "--student", "bob")
    graded = course / "autograded" / "bob" / NAME
    for folder in (graded, *graded.parents[:2]):
        assert folder.stat().st_mode & 0o7777 == 0o2775
    assert (graded / f"{NOTEBOOKS[0]}.ipynb").stat().st_mode & 0o777 == 0o664


def test_a_folder_that_is_a_link_elsewhere_is_followed(course: Path, tmp_path: Path) -> None:
    (course / "submitted").rename(tmp_path / "submitted elsewhere")
    (tmp_path / "autograded elsewhere").mkdir()
    for name in ("submitted", "autograded"):
        (course / name).symlink_to(tmp_path / f"{name} elsewhere")
    assert grade(course)["failed"] == 0
    assert (tmp_path / "autograded elsewhere" / "bob" / NAME / f"{NOTEBOOKS[0]}.ipynb").is_file()


def test_a_folder_without_a_gradebook_gets_none_and_what_cannot_be_used_is_told(course: Path) -> None:
    configure(course, "c.Autograde.permissions = 'all'")
    assert "permissions" in refusal(course)
    configure(course, "c.Autograde.permissions = 444")
    with closing(sqlite3.connect(course / "gradebook.db")) as gradebook, gradebook:
        gradebook.execute("alter table assignment rename column duedate to due")
    assert "nbgrader db upgrade" in refusal(course)
    (course / "gradebook.db").unlink()
    assert "There is no gradebook" in refusal(course)
    assert not (course / "gradebook.db").exists()


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b'{"nbformat": 4, "cells": null}'])
def test_a_notebook_of_the_author_s_that_cannot_be_read_is_named(course: Path, content: bytes) -> None:
    (course / "source" / NAME / f"{NOTEBOOKS[0]}.ipynb").write_bytes(content)
    assert f"{NOTEBOOKS[0]}.ipynb in the source folder of '{NAME}' cannot be read" in " ".join(
        refusal(course).split()
    )


@pytest.mark.parametrize("arguments", [["--student", "nobody"], ["--student", "bob", "--notebook", "none"]])
def test_nothing_to_grade_exits_as_nbgrader_does(course: Path, arguments: list[str]) -> None:
    assert autograde(course, *arguments)[0] == 1
    assert grade(course, *arguments, code=1) == {}
