"""The sample course's first page agrees with its modules."""

from __future__ import annotations

import pytest

from course.manifest import read_course, read_module
from hub_config.settings import SAMPLE_MODULES_DIR

pytestmark = pytest.mark.quick


def test_the_welcome_page_leads_to_every_module_and_gives_its_minutes() -> None:
    welcome = (SAMPLE_MODULES_DIR / "welcome.md").read_text(encoding="utf-8")
    rows = [line for line in welcome.splitlines() if line.startswith("| ") and "lesson.ipynb" in line]
    modules = [read_module(SAMPLE_MODULES_DIR / slug) for slug in read_course(SAMPLE_MODULES_DIR).modules]
    assert len(rows) == len(modules)
    for row, module in zip(rows, modules, strict=True):
        assert f"./{module.slug}/lesson.ipynb" in row
        assert f"./{module.slug}/exercises.ipynb" in row
        assert f"{module.minutes} min" in row
