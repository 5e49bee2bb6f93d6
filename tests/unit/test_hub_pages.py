"""The hub's pages speak French wherever they speak English, and load nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from types import SimpleNamespace

import pytest
from jinja2 import Environment, FileSystemLoader
from tornado.web import HTTPError
from traitlets.config import Config

from course.language import catalogue
from hub_config.pages import STATIC_DIR, TEMPLATE_DIR, configure_pages
from hub_config.sign_in import PASSWORD_PROBLEMS, InvitationFormExpired

pytestmark = pytest.mark.quick

SOURCES = sorted([*TEMPLATE_DIR.iterdir(), *TEMPLATE_DIR.parent.glob("*.py")])
RAISED = {
    "It ended while it started.",
    "Many people are signing in at this moment. Try again in ten seconds.",
    "There are no notebooks for you here.",
    "This form was open too long. Open your invitation link again.",
    "Your time in this course is over. If that is a mistake, ask your trainer.",
}


def said() -> set[str]:
    calls = re.compile(r"""\bsay\(\s*(["'])(.+?)\1""")
    found = {match[2] for source in SOURCES for match in calls.finditer(source.read_text(encoding="utf-8"))}
    return found | set(PASSWORD_PROBLEMS.values()) | RAISED


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


class Visit:
    """What our templates ask of the handler that renders them."""

    def __init__(self, language: str) -> None:
        self.request = SimpleNamespace(headers={"Accept-Language": language})
        self.headers: dict[str, str] = {}
        self.set_header = self.headers.__setitem__

    def static_url(self, path: str) -> str:
        return path


def shown(page: str, language: str, **values: object) -> str:
    config = Config()
    configure_pages(config, "Data work")
    given = {
        name: value(None) if callable(value) else value
        for name, value in config.JupyterHub.template_vars.items()
    }
    environment = Environment(loader=FileSystemLoader(TEMPLATE_DIR), autoescape=True)
    static_url = Visit(language).static_url
    return environment.get_template(page).render(given, base_url="/hub/", static_url=static_url, **values)


@pytest.mark.parametrize(
    ("status", "language", "next_step"),
    [
        (403, "en", "ask your trainer"),
        (403, "fr", "demandez à votre formateur"),
        (404, "en", "The start page leads to your course"),
        (404, "fr", "La page d’accueil mène à votre cours"),
        (500, "en", "tell your trainer the number below"),
        (500, "fr", "indiquez à votre formateur le numéro"),
        (400, "en", "Go back and try again"),
        (400, "fr", "Revenez en arrière et réessayez"),
    ],
)
def test_an_error_page_gives_a_next_step_and_nothing_of_the_hubs_own_text(
    status: int, language: str, next_step: str
) -> None:
    raw = "Action is not authorized with current scopes"
    page = shown(
        "error.html",
        language,
        status_code=status,
        message=raw,
        status_message=raw,
        exception=HTTPError(status, raw, reason=raw),
    )
    assert next_step in page
    assert raw not in page


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Open your invitation link again."), ("fr", "Ouvrez de nouveau")]
)
def test_an_error_page_shows_what_an_error_of_ours_says(language: str, said: str) -> None:
    assert said in shown("error.html", language, status_code=403, exception=InvitationFormExpired())


@pytest.mark.parametrize(
    ("raw", "english", "french"),
    [
        ("", "", ""),
        ("Invalid username or password", "user name or the password", "Identifiant ou mot de passe"),
        ("Login form invalid or expired. Try again.", "open too long", "ouvert trop longtemps"),
        ("Internal Server Error", "did not work", "n’a pas fonctionné"),
    ],
)
def test_the_sign_in_form_says_in_its_own_words_what_went_wrong(raw: str, english: str, french: str) -> None:
    for language, said in (("en", english), ("fr", french)):
        page = shown("login.html", language, login_error=raw)
        assert ('role="alert"' in page) == bool(raw)
        assert said in page
        assert not raw or raw not in page
