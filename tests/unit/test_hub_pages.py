"""The hub's pages speak French wherever they speak English, and load nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from course.language import catalogue
from hub_config.pages import STATIC_DIR, TEMPLATE_DIR
from hub_config.sign_in import PASSWORD_PROBLEMS

pytestmark = pytest.mark.quick

SOURCES = sorted([*TEMPLATE_DIR.iterdir(), *TEMPLATE_DIR.parent.glob("*.py")])
# JupyterHub's own words, which reach our templates through `say`.
OF_JUPYTERHUB = {"Invalid username or password", "Login form invalid or expired. Try again."}
RAISED = {
    "It ended while it started.",
    "This form was open too long. Open your invitation link again.",
}


def said() -> set[str]:
    calls = re.compile(r"""\bsay\(\s*(["'])(.+?)\1""")
    found = {match[2] for source in SOURCES for match in calls.finditer(source.read_text(encoding="utf-8"))}
    return found | set(PASSWORD_PROBLEMS.values()) | OF_JUPYTERHUB | RAISED


def test_everything_said_is_said_in_french_and_nothing_else_is_translated() -> None:
    assert set(catalogue("hub", "fr")) == said()


def test_a_translation_fills_in_the_same_values() -> None:
    def fields(text: str) -> set[str | None]:
        return {field for _, field, _, _ in Formatter().parse(text) if field is not None}

    for message, translation in catalogue("hub", "fr").items():
        assert fields(message) == fields(translation), message


@pytest.mark.parametrize("path", [*TEMPLATE_DIR.iterdir(), *STATIC_DIR.iterdir()], ids=lambda path: path.name)
def test_a_page_loads_nothing_from_another_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)


@pytest.mark.parametrize("path", list(TEMPLATE_DIR.iterdir()), ids=lambda path: path.name)
def test_a_page_has_no_script_or_style_of_its_own_for_the_policy_forbids_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=|\|\s*safe", text)
