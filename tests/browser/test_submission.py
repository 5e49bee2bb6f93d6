"""Handing in from a notebook, and reading there what came of it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from hub_config.settings import SAMPLE_MODULES_DIR, Settings, write_settings
from tests.browser.conftest import Picture
from tests.browser.lab import Lab, running_lab
from tests.handing_in import EXERCISE, MODULE, Deploy, Deployment, cell_of, edited
from tests.minimal_hub import PREFIX, MinimalHub, running_hub
from tests.waiting import wait_until

pytestmark = [pytest.mark.hub, pytest.mark.browser]

ANSWER_MS = 60_000
GRADED_MS = 120_000
NOTEBOOK = f"{MODULE}/exercises.ipynb"


@pytest.fixture(scope="module")
def deployment(deploy: Deploy) -> Deployment:
    deployment = deploy("ada,Ada,,learner", "ben,Ben,,learner", "tia,Tia,,trainer")
    write_settings(deployment.state, Settings(modules_dir=SAMPLE_MODULES_DIR, language="fr"))
    return deployment


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, deployment: Deployment) -> Iterator[MinimalHub]:
    with running_hub(tmp_path_factory.mktemp("hub"), deployment.state.root) as hub:
        yield hub


@pytest.fixture(scope="module", autouse=True)
def worker(deployment: Deployment) -> Iterator[None]:
    state, modules = str(deployment.state.root), str(SAMPLE_MODULES_DIR)
    command = [sys.executable, "-m", "graders.worker", "--state-dir", state, "--modules-dir", modules]
    with subprocess.Popen([*command, "--language", "fr"]) as process:
        yield
        process.terminate()
        assert process.wait(60) == 0


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, hub: MinimalHub, deployment: Deployment) -> Iterator[Lab]:
    """Ada's JupyterLab, in French, with an assignment half done."""
    home = tmp_path_factory.mktemp("home")
    environment = {
        "HOME": str(home),
        "SPOC_SERVICE_URL": f"http+unix://{quote(str(hub.socket), safe='')}{PREFIX}",
        "JUPYTERHUB_API_TOKEN": hub.token("ada"),
        "SPOC_LANGUAGE": "fr",
        "SPOC_TIME_ZONE": "Europe/Paris",
    }
    edited(deployment.source_dir, home / MODULE, half_done)
    with running_lab(home, environment) as lab:
        yield lab


@pytest.fixture
def graded(deployment: Deployment, tmp_path: Path) -> Path:
    """The feedback page of a submission that the worker has graded."""
    edited(deployment.source_dir, tmp_path / MODULE, half_done)
    submission = deployment.hand_in("ben", tmp_path / MODULE)
    page = deployment.state.feedback_dir / str(submission.id) / "exercises.html"
    wait_until(page.exists, GRADED_MS / 1000)
    return page


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(viewport={"width": 1300, "height": 1000}) as context:
        yield context.new_page()


def half_done(notebook: nbformat.NotebookNode) -> None:
    """Break one exercise, answer the written one, and leave `spoc.submit()` as the only code to run."""
    cell_of(notebook, EXERCISE).source = "def tidy_columns(table):\n    return table"
    cell_of(notebook, "explain-missing").source = "Parce que l'export les a perdues."
    notebook.cells.insert(0, nbformat.v4.new_code_cell("spoc.submit()"))


def run_first_cell(page: Page) -> None:
    page.locator(".jp-CodeCell").first.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")


def test_a_learner_hands_in_and_reads_the_feedback_in_the_notebook(
    page: Page, lab: Lab, picture: Picture
) -> None:
    lab.open(page, NOTEBOOK)
    run_first_cell(page)
    widget = page.locator(".spoc-feedback")
    expect(widget.locator(".spoc-receipt")).to_contain_text("exercises.ipynb", timeout=ANSWER_MS)
    expect(widget).to_have_attribute("lang", "fr")
    status = widget.get_by_role("status")
    expect(status).to_contain_text(re.compile(r"attend|cours de correction|points"))
    # What is marked as busy is not read out.
    expect(widget.locator("[aria-busy] [role=status]")).to_have_count(0)
    table = widget.get_by_role("table")
    table.wait_for(timeout=GRADED_MS)
    expect(status).to_contain_text("Votre formateur doit encore en noter une partie.")
    assert table.get_by_role("columnheader").all_inner_texts() == [
        "Exercice",
        "Points",
        "Ce que nous avons vu",
    ]
    broken = table.get_by_role("row", name="Tidy columns")
    expect(broken).to_contain_text("0 sur 2")
    expect(table.get_by_role("row", name="Explain missing")).to_contain_text("En attente de votre formateur.")
    expect(table.get_by_role("row", name="Parse amounts")).to_contain_text("3 sur 3")
    picture(page, "feedback-in-the-notebook", within=".spoc-feedback")
    lab.command(page, "apputils:change-theme", theme="JupyterLab Dark")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", "JupyterLab Dark")
    picture(page, "feedback-in-the-notebook-dark", within=".spoc-feedback")
    lab.command(page, "apputils:change-theme", theme="JupyterLab Light")


def test_what_is_not_saved_is_not_handed_in(page: Page, lab: Lab) -> None:
    lab.open(page, NOTEBOOK)
    page.locator(".jp-CodeCell").nth(1).locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("  # now")
    page.keyboard.press("Shift+Enter")
    run_first_cell(page)
    output = page.locator(".jp-CodeCell").first.locator(".jp-OutputArea")
    expect(output).to_contain_text("rien n'a été rendu", timeout=ANSWER_MS)
    expect(page.locator(".spoc-feedback")).to_have_count(0)


def test_feedback_pages_are_accessible(page: Page, graded: Path, picture: Picture) -> None:
    page.goto(graded.as_uri())
    expect(page.get_by_role("heading", level=1).first).to_have_text("Retour sur exercises")
    picture(page, "feedback-page")
    page.emulate_media(color_scheme="dark")
    picture(page, "feedback-page-dark")
