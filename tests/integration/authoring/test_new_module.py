"""A new module is right from the start and leads to a release."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from course.errors import Conflict, CourseError, NotFound
from graders.authoring.starter import new_module
from tests.integration.authoring.course import SLUG, edit, found, run


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


def test_the_command_line_takes_a_module_from_new_to_released(tmp_path: Path) -> None:
    places = ["--modules-dir", str(tmp_path / "modules"), "--state-dir", str(tmp_path / "state")]
    assert run("new", SLUG, *places).exit_code == 0
    built = json.loads(run("build", *places, "--json").stdout)
    assert [each["module"] for each in built["built"]] == [SLUG]
    released = json.loads(run("release", SLUG, *places, "--json").stdout)
    assert released == {"released": [{"module": SLUG, "due_at": None}]}
