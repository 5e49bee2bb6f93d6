"""Files of authors are read whole or refused with every problem and its line."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

from course.document import check_document
from course.errors import FileProblems
from course.manifest import CourseManifest, ModuleManifest, read_course, read_module
from course.schedule import due_at
from course.skills import SkillMap

pytestmark = pytest.mark.quick

MODULE = {
    "slug": "slices",
    "title": "Slices",
    "minutes": 30,
    "objectives": ["Cut a list"],
    "teaches": ["slicing"],
    "requires": ["lists"],
    "due_days": 7,
}
COURSE = {
    "id": "python",
    "title": "Python",
    "language": "en",
    "description": "Lists.",
    "audience": "Beginners.",
    "modules": ["slices", "dicts"],
}
SKILLS = """\
levels:
  - {level: 1, title: Reads it}
  - {level: 2, title: Does it}
skills:
  - {id: lists, title: Lists, description: Make lists.}
  - {id: slicing, title: Slicing, description: Cut lists., requires: [lists]}
  - {id: strides, title: Strides, description: Cut in steps., requires: [slicing]}
roles:
  - {id: analyst, title: Analyst, targets: {slicing: 2}}
"""


def module_dir(folder: Path, **changes: object) -> Path:
    directory = folder / "slices"
    directory.mkdir()
    (directory / "module.yaml").write_text(yaml.safe_dump(MODULE | changes, sort_keys=False))
    return directory


def problems_of(path: Path, text: str, model: type[CourseManifest | SkillMap]) -> list[str]:
    path.write_text(text)
    return [str(problem) for problem in check_document(path, model)[1]]


def test_a_module_is_read_as_it_was_written(tmp_path: Path) -> None:
    manifest = read_module(module_dir(tmp_path))
    assert manifest.model_dump(mode="json") == MODULE | {"referee": "auto"}


def test_a_module_without_due_day_is_never_due(tmp_path: Path) -> None:
    manifest = read_module(module_dir(tmp_path, due_days=None))
    assert due_at(manifest, date(2026, 3, 2), "Europe/Paris") is None


def test_every_problem_of_a_module_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(FileProblems) as refused:
        read_module(module_dir(tmp_path, slug="slicing", minutes=0, objectives=[], titel="typo"))
    assert refused.value.problems == (
        "line 1: slug: must be the name of the folder, slices",
        "line 3: minutes: input should be greater than 0",
        "line 4: objectives: needs at least 1",
        "line 10: titel: is not a known key; did you mean title?",
    )


def test_a_skill_is_not_taught_and_required_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileProblems, match=r"line 10: requires\.1: slicing is what the module teaches"):
        read_module(module_dir(tmp_path, requires=["lists", "slicing"]))


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileProblems, match=r"course\.yaml cannot be used:\n  - the file does not exist"):
        read_course(tmp_path)


def test_a_course_names_each_module_once(tmp_path: Path) -> None:
    text = yaml.safe_dump(COURSE | {"modules": ["slices", "dicts", "slices"]}, sort_keys=False)
    assert problems_of(tmp_path / "course.yaml", text, CourseManifest) == [
        "line 9: modules.2: slices stands in the list twice"
    ]


def test_a_key_that_stands_twice_is_a_problem_and_not_the_last_one_wins(tmp_path: Path) -> None:
    text = yaml.safe_dump(COURSE, sort_keys=False) + "title: Another\n"
    assert problems_of(tmp_path / "course.yaml", text, CourseManifest) == ["line 9: title: stands here twice"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title: [open", "not valid YAML: "),
        ("- a list", "must be `key: value` lines"),
        ("", "must be `key: value` lines"),
        ("title: 2026-13-45", "not valid YAML: "),
        ("title: !!python/name:os.system ''", "not valid YAML: "),
    ],
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems_of(tmp_path / "course.yaml", text, CourseManifest)
    assert found.startswith(problem)


def test_a_list_with_a_wrong_item_is_not_called_too_short(tmp_path: Path) -> None:
    text = yaml.safe_dump(COURSE | {"modules": ["Bad Name"]}, sort_keys=False)
    (problem,) = problems_of(tmp_path / "course.yaml", text, CourseManifest)
    assert problem.startswith("line 7: modules.0: ")


def test_skills_that_wait_for_each_other_are_refused(tmp_path: Path) -> None:
    text = SKILLS.replace("Make lists.}", "Make lists., requires: [strides]}")
    assert problems_of(tmp_path / "skills.yaml", text, SkillMap) == [
        "line 5: skills.lists.requires: each builds on the next: lists ← slicing ← strides ← lists"
    ]


def test_unknown_skills_and_levels_are_all_named(tmp_path: Path) -> None:
    text = SKILLS.replace("requires: [slicing]", "requires: [cutting]").replace("slicing: 2", "slices: 3")
    assert problems_of(tmp_path / "skills.yaml", text, SkillMap) == [
        "line 7: skills.strides.requires.0: there is no skill cutting",
        "line 9: roles.analyst.targets.slices: there is no skill slices",
        "line 9: roles.analyst.targets.slices: the highest level is 2",
    ]


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (date(2026, 1, 5), datetime(2026, 1, 12, 22, 59, tzinfo=UTC)),
        (date(2026, 3, 23), datetime(2026, 3, 30, 21, 59, tzinfo=UTC)),
    ],
    ids=["winter", "across the change of clocks"],
)
def test_a_module_is_due_at_the_end_of_the_day_where_the_cohort_is(start: date, due: datetime) -> None:
    manifest = ModuleManifest.model_validate(MODULE)
    assert due_at(manifest, start, "Europe/Paris") == due
    assert due_at(manifest, None, "Europe/Paris") is None
