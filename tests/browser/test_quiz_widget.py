"""The quiz in a real JupyterLab: answered by mouse and by keyboard, kept through every failure."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.lab import Lab, running_lab
from tests.minimal_hub import MinimalHub, running_hub
from tests.quizzes import deploy_quiz, release_quiz, write_quiz

pytestmark = [pytest.mark.browser, pytest.mark.hub]

OUTPUT = Path(__file__).parents[2] / "test-output" / "quiz"
QUIZZES = ("answers", "keyboard", "drafts", "outage", "late", "silence", "themes")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinimalHub]:
    folder = tmp_path_factory.mktemp("deployment")
    state = deploy_quiz(folder, ["ada", "ben"])
    for quiz in QUIZZES:
        write_quiz(folder / "modules", quiz)
    release_quiz(state, *QUIZZES)
    with running_hub(tmp_path_factory.mktemp("hub"), state.root) as hub:
        yield hub


@pytest.fixture(scope="module")
def lab(hub: MinimalHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("home"), hub.environment_of("ada")) as lab:
        yield lab


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1100, "height": 1700})
    yield context
    context.close()


def show_quiz(lab: Lab, context: BrowserContext, quiz: str) -> Page:
    """Open a notebook with one quiz cell, run it, and wait for what it shows."""
    page = context.new_page()
    lab.write_notebook(f"{quiz}.ipynb", f'spoc.quiz("{quiz}")')
    lab.open(page, f"{quiz}.ipynb")
    lab.command(page, "notebook:run-all-cells")
    page.locator(".spoc-quiz").wait_for()
    return page


def question(page: Page, number: int) -> Locator:
    return page.get_by_role("group", name=f"Question {number} of 4").locator("xpath=ancestor::form")


def check(form: Locator) -> None:
    form.get_by_role("button", name="Check answer").click()


def keep_picture(page: Page, name: str) -> None:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    page.locator(".spoc-quiz").screenshot(path=OUTPUT / f"{name}.png")


@contextmanager
def silent_service(hub: MinimalHub) -> Iterator[None]:
    """Freeze the course service: it takes connections, says nothing, and reads in the end what was sent."""
    pid = hub.service_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_each_answer_is_judged_and_explained_beside_what_was_chosen(
    lab: Lab, context: BrowserContext
) -> None:
    page = show_quiz(lab, context, "answers")
    single, several, number, text = (question(page, each) for each in (1, 2, 3, 4))

    single.get_by_role("radio", name="axis=1").check()
    check(single)
    expect(single.get_by_role("status")).to_contain_text("Not right yet. 0 of 1 point")
    expect(single.get_by_role("radio", name="axis=1")).to_have_accessible_description(
        re.compile("columns' axis")
    )
    expect(single).to_contain_text("1 attempt left")

    several.get_by_role("checkbox", name="NaN").check()
    check(several)
    expect(several.get_by_role("status")).to_contain_text("Partly right. 1 of 2 points")

    number.get_by_label("Your answer, as a number in €").fill("12,50")
    check(number)
    expect(number.get_by_role("status")).to_contain_text("Right. 1.5 of 1.5 points")
    expect(number.get_by_role("textbox")).to_be_disabled()

    check(text)
    expect(text.get_by_role("status")).to_have_text("Write your answer first.")
    text.get_by_label("Your answer").fill("Order  by")
    check(text)
    expect(text.get_by_role("status")).to_contain_text("that sorts")

    single.get_by_role("radio", name="Neither").check()
    check(single)
    expect(single.get_by_role("status")).to_contain_text("Not right. 0 of 1 point")
    expect(single).to_contain_text("No attempt left")
    expect(page.locator(".spoc-total")).to_have_text("2.5 of 5.5 points")
    assert "KEY-axis-b" not in page.content()
    keep_picture(page, "answers")


def test_a_question_is_answered_by_keyboard_alone_and_the_notebook_takes_no_key_of_it(
    lab: Lab, context: BrowserContext
) -> None:
    page = show_quiz(lab, context, "keyboard")
    form = question(page, 1)
    form.get_by_role("radio").first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "Tab"):
        page.keyboard.press(key)
    expect(form.get_by_role("button", name="Check answer")).to_be_focused()
    page.keyboard.press("Enter")
    expect(form.get_by_role("status")).to_contain_text("Right. 1 of 1 point")
    expect(form.get_by_role("status")).to_be_focused()
    page.keyboard.press("a")
    page.keyboard.press("d")
    page.keyboard.press("d")
    expect(page.locator(".jp-CodeCell")).to_have_count(1)
    expect(page.locator(".spoc-quiz")).to_be_visible()


def test_what_was_answered_and_what_was_only_typed_survive_a_closed_tab(
    lab: Lab, context: BrowserContext
) -> None:
    page = show_quiz(lab, context, "drafts")
    question(page, 1).get_by_role("radio", name="axis=0").check()
    check(question(page, 1))
    expect(question(page, 1).get_by_role("status")).to_contain_text("Right.")
    question(page, 2).get_by_role("checkbox", name="NaT").check()
    question(page, 4).get_by_label("Your answer").fill("group")
    page.close()

    page = show_quiz(lab, context, "drafts")
    expect(question(page, 1).get_by_role("radio", name="axis=0")).to_be_checked()
    expect(question(page, 1).get_by_role("status")).to_contain_text("Right.")
    expect(question(page, 2).get_by_role("checkbox", name="NaT")).to_be_checked()
    expect(question(page, 4).get_by_label("Your answer")).to_have_value("group")


def test_while_the_service_is_down_the_answer_is_kept_and_sent_again_by_itself_once(
    lab: Lab, context: BrowserContext, hub: MinimalHub
) -> None:
    page = show_quiz(lab, context, "outage")
    form = question(page, 3)
    with silent_service(hub):
        form.get_by_role("textbox").fill("25")
        check(form)
        expect(form.get_by_role("status")).to_contain_text("cannot be reached. Your answer is kept")
        expect(form.get_by_role("button", name="Try again")).to_be_visible()
        keep_picture(page, "outage")
    expect(form.get_by_role("status")).to_contain_text("that is the sum")
    expect(form).to_contain_text("1 attempt left")


def test_a_quiz_asked_for_while_the_service_is_down_shows_up_when_it_is_back(
    lab: Lab, context: BrowserContext, hub: MinimalHub
) -> None:
    with silent_service(hub):
        page = show_quiz(lab, context, "late")
        expect(page.locator(".spoc-quiz").get_by_role("status")).to_contain_text("cannot be shown yet")
    expect(question(page, 1)).to_be_visible()


def test_a_stopped_kernel_is_said_and_the_answer_reaches_the_service_after_the_next_run(
    lab: Lab, context: BrowserContext
) -> None:
    page = show_quiz(lab, context, "silence")
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    form = question(page, 3)
    form.get_by_role("textbox").fill("12.5")
    check(form)
    expect(form.get_by_role("status")).to_contain_text("The kernel does not answer")
    page.close()
    page = show_quiz(lab, context, "silence")
    expect(question(page, 3).get_by_role("status")).to_contain_text("Right. 1.5 of 1.5 points")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_quiz_meets_wcag_in_both_themes(lab: Lab, context: BrowserContext, theme: str) -> None:
    page = show_quiz(lab, context, "themes")
    lab.command(page, "apputils:change-theme", theme=theme)
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", theme)
    form = question(page, 4)
    if form.get_by_role("textbox").is_enabled():
        form.get_by_role("textbox").fill("having" if "Light" in theme else "group by")
        check(form)
        expect(form.get_by_role("status")).to_contain_text("of 1 point")
    keep_picture(page, theme.split()[-1].lower())
    report = Axe().run(page, context=".spoc-quiz")
    assert report.response["passes"]
    assert report.response["violations"] == [], report.generate_report()


def test_the_quiz_speaks_french(hub: MinimalHub, context: BrowserContext, tmp_path: Path) -> None:
    with running_lab(tmp_path, hub.environment_of("ben", "fr")) as lab:
        page = show_quiz(lab, context, "themes")
        form = page.locator(".spoc-question").nth(2)
        expect(form).to_contain_text("Question 3 sur 4")
        form.get_by_label("Votre réponse, en nombre (€)").fill("1 234,5")
        form.get_by_role("button", name="Vérifier la réponse").click()
        expect(form.get_by_role("status")).to_contain_text("Ce n’est pas encore juste. 0 sur 1,5 point")
        expect(form).to_contain_text("Encore 1 essai")
        keep_picture(page, "french")
