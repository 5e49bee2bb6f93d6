"""The whole walk in a real browser: from the roster to the report, good, poor and broken work."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from course.state import StateFolder
from hub_config.runtime import free_port
from hub_config.settings import Settings, write_settings
from tests.browser.conftest import OUTPUT
from tests.browser.people import SPAWN_MS, Person, solutions
from tests.waiting import wait_until

pytestmark = [pytest.mark.hub, pytest.mark.browser, pytest.mark.timeout(900)]

MODULE = "tables-and-cleaning"
GRADED_MS = 180_000
PASSWORD = "a quiet morning in May"
ROSTER = """\
username,name,email,role
tia,Tia Lindqvist,tia@example.org,trainer
ada,Ada Okafor,ada@example.org,learner
ben,Ben Castillo,ben@example.org,learner
chloe,Chloé Martin,chloe@example.org,learner
"""
WRITTEN_ANSWER = "A missing limit means that nobody has set one. I would ask, not guess."
COMMENT = "Clear. Say also what an average would do to the total."
ENDS_THE_KERNEL = "import os\nos._exit(1)"


@dataclass(frozen=True)
class Course:
    """A running hub, and the command that its trainer types."""

    state: StateFolder
    url: str

    def spoc(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "hub_config.cli", *arguments, "--state-dir", str(self.state.root)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def running_course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    state = StateFolder(tmp_path_factory.mktemp("walk") / "state")
    state.root.mkdir(mode=0o700)
    settings = Settings(port=free_port())
    write_settings(state, settings)
    course = Course(state, settings.url)
    course.spoc("module", "build", MODULE)
    course.spoc("module", "release", MODULE)
    command = [sys.executable, "-m", "hub_config.cli", "serve", "--state-dir", str(state.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as hub:
        try:
            assert hub.stdout is not None
            assert "is open at" in hub.stdout.readline()
            yield course
        finally:
            hub.send_signal(signal.SIGINT)
            hub.wait(60)


@pytest.fixture(scope="module")
def album() -> Callable[[Page, str], None]:
    folder = OUTPUT / "walk"
    folder.mkdir(parents=True, exist_ok=True)
    for picture in folder.glob("*.png"):
        picture.unlink()
    taken: list[str] = []

    def take(page: Page, name: str) -> None:
        taken.append(name)
        page.screenshot(path=folder / f"{len(taken):02}-{name}.png")

    return take


def test_a_cohort_takes_a_module_from_invitation_to_report(
    running_course: Course, chromium: Browser, album: Callable[[Page, str], None], tmp_path: Path
) -> None:
    course = running_course
    links = invite_the_cohort(course, tmp_path / "roster.csv")
    people = [Person(name, chromium, course.url, album) for name in ("tia", "ada", "ben", "chloe")]
    with pictures_of_a_failure(people):
        for person in people:
            person.join(links[person.name], PASSWORD)
        tia, ada, ben, chloe = people

        answer_the_quiz(ada)
        hand_in_good_work(ada, solutions(course.state.course_dir / "source" / MODULE / "exercises.ipynb"))
        hand_in_poor_work(ben)
        hand_in_broken_work(chloe)

        see_grades_in_formgrader(tia)
        grade_by_hand(tia)
        see_released_marks(ada)
        read_the_report(tia)


@contextmanager
def pictures_of_a_failure(people: list[Person]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for person in people:
            person.picture("when-it-failed")
        raise


def invite_the_cohort(course: Course, roster: Path) -> dict[str, str]:
    roster.write_text(ROSTER, encoding="utf-8")
    course.spoc("cohort", "import", str(roster))
    invited = json.loads(course.spoc("cohort", "invite", "--all", "--json"))
    return {invitation["name"]: invitation["link"] for invitation in invited["invitations"]}


def answer_the_quiz(learner: Person) -> None:
    """One answer wrong, then right; one right at once; the tab is closed and opened again in between."""
    learner.open_notebook(f"{MODULE}/lesson.ipynb")
    learner.run(learner.cell("import pandas as pd"))
    learner.picture("lesson")
    quiz_cell = learner.cell(f'spoc.quiz("{MODULE}")')
    learner.run(quiz_cell)
    first = learner.page.locator(".spoc-question").first
    first.get_by_text("Open the file in the spreadsheet program").click()
    first.get_by_role("button", name="Check answer").click()
    expect(first).to_contain_text("a repair by hand that nobody can see")
    expect(first).to_contain_text("1 attempt left")
    learner.picture("quiz-wrong")
    learner.open_notebook(f"{MODULE}/lesson.ipynb")
    learner.run(learner.cell(f'spoc.quiz("{MODULE}")'))
    first = learner.page.locator(".spoc-question").first
    expect(first).to_contain_text("a repair by hand that nobody can see")
    first.get_by_text("because the cells may be separated by semicolons").click()
    first.get_by_role("button", name="Check answer").click()
    expect(first).to_contain_text("A look at head() would show it")
    learner.picture("quiz-right")


def hand_in_good_work(learner: Person, reference: dict[str, str]) -> None:
    learner.open_notebook(f"{MODULE}/exercises.ipynb")
    for name, source in reference.items():
        learner.write(learner.cell(f"def {name}("), source)
    learner.write_text(learner.cell("YOUR ANSWER HERE", "jp-MarkdownCell"), WRITTEN_ANSWER)
    submit = learner.cell("# spoc.submit()")
    learner.write(submit, "spoc.submit()")
    expect(learner.cell("spoc.submit()")).to_contain_text("not saved, so nothing was submitted")
    learner.save()
    learner.run(learner.cell("spoc.submit()"))
    feedback = learner.page.locator(".spoc-feedback")
    expect(feedback).to_contain_text(re.compile("waits for your trainer", re.IGNORECASE), timeout=GRADED_MS)
    feedback.locator("table").scroll_into_view_if_needed()
    learner.picture("feedback")


def hand_in_poor_work(learner: Person) -> None:
    """Nothing solved but one function, and that one wrong; handed in from nbgrader's own list."""
    learner.open_notebook(f"{MODULE}/exercises.ipynb")
    learner.write(learner.cell("def tidy_columns("), "def tidy_columns(table):\n    return table")
    learner.save()
    learner.page.get_by_role("menuitem", name="Nbgrader").click()
    learner.page.get_by_role("menuitem", name="Assignment List").click()
    row = learner.page.locator("#fetched_assignments_list .list_item").filter(has_text=MODULE)
    row.get_by_role("button", name="Submit").click()
    expect(learner.page.locator("#submitted_assignments_list")).to_contain_text(MODULE)
    learner.picture("assignment-list")
    learner.page.get_by_role("tab", name="exercises.ipynb").click()
    learner.write(learner.cell("# spoc.submit()"), "spoc.feedback()")
    feedback = learner.page.locator(".spoc-feedback")
    expect(feedback).to_contain_text("0 of 31", timeout=GRADED_MS)
    tidied = feedback.get_by_role("row", name="Tidy columns")
    expect(tidied).to_contain_text("0 of 2")
    tidied.scroll_into_view_if_needed()
    learner.picture("feedback")


def hand_in_broken_work(learner: Person) -> None:
    """A notebook whose kernel ends while it is graded."""
    learner.open_notebook(f"{MODULE}/exercises.ipynb")
    learner.write(learner.cell("def tidy_columns("), ENDS_THE_KERNEL)
    dialog = learner.page.get_by_role("dialog")
    expect(dialog).to_contain_text("appears to have died")
    dialog.get_by_role("button", name="Ok").click()
    learner.save()
    learner.write(learner.cell("# spoc.submit()"), "spoc.submit()")
    expect(learner.page.locator(".spoc-feedback")).to_contain_text("0 of 31", timeout=GRADED_MS)
    learner.picture("feedback")


def see_grades_in_formgrader(trainer: Person) -> None:
    """From the trainer's page, which starts the trainer's own server on the way."""
    trainer.page.goto(f"{trainer.url}/services/course/")
    trainer.page.get_by_role("link", name="Mark and release in formgrader").click()
    submitted = trainer.page.locator("tbody tr").filter(has_text=MODULE).locator(".num-submissions a")
    submitted.click(timeout=SPAWN_MS)
    rows = trainer.page.locator("tbody tr")
    expect(rows.filter(has_text="Okafor, Ada")).to_contain_text("needs manual grading")
    expect(rows.filter(has_text="Castillo, Ben")).to_contain_text("0 / 31")
    expect(rows.filter(has_text="Martin, Chloé")).to_contain_text("0 / 31")
    trainer.picture("formgrader")


def grade_by_hand(trainer: Person) -> None:
    """Mark the one written answer that waits, and release it."""
    page = trainer.page
    page.goto(f"{trainer.url}/user/{trainer.name}/formgrader/gradebook/{MODULE}/exercises")
    page.locator("tbody tr").filter(has_text="17 / 21").locator("a").first.click()
    answer = page.locator(".panel").filter(has_text=WRITTEN_ANSWER).last
    # Until formgrader has fetched what its boxes hold it overwrites them; then it sets placeholders.
    for field in ("textarea.comment", "input.extra-credit"):
        expect(answer.locator(field)).to_have_attribute("placeholder", re.compile("."), timeout=SPAWN_MS)
    for field, text, kept_at in (
        ("textarea.comment", COMMENT, "/formgrader/api/comment/"),
        ("input.score", "3", "/formgrader/api/grade/"),
    ):
        answer.locator(field).fill(text)
        with page.expect_response(partial(is_kept, kept_at)) as kept:
            page.keyboard.press("Tab")
        assert kept.value.ok
    trainer.picture("hand-grading")
    page.goto(f"{trainer.url}/user/{trainer.name}/formgrader/manage_submissions/{MODULE}")
    row = page.locator("tbody tr").filter(has_text="Okafor, Ada")
    expect(row).not_to_contain_text("needs manual grading")
    row.locator(".release-feedback a").click()
    told = page.locator(".modal-body:visible")
    expect(told).to_contain_text("Successfully released feedback", timeout=GRADED_MS)


def is_kept(path: str, reply: Response) -> bool:
    return path in reply.url and reply.request.method in ("POST", "PUT")


def see_released_marks(learner: Person) -> None:
    """The worker writes released feedback within seconds; the learner looks until it is there."""
    learner.open_notebook(f"{MODULE}/exercises.ipynb")
    learner.write(learner.cell("spoc.submit()"), "spoc.feedback()")
    cell = learner.cell("spoc.feedback()")
    feedback = cell.locator(".spoc-feedback")

    def is_released() -> bool:
        learner.run(cell)
        expect(feedback.locator("table")).to_be_visible()
        return COMMENT in feedback.inner_text()

    wait_until(is_released, GRADED_MS / 1000)
    expect(feedback).to_contain_text("3 of 4")
    feedback.get_by_text(COMMENT).scroll_into_view_if_needed()
    learner.picture("released-feedback")


def read_the_report(trainer: Person) -> None:
    page = trainer.page
    page.goto(f"{trainer.url}/services/course/")
    expect(page.locator("table.places")).to_contain_text("Ada Okafor")
    trainer.picture("trainer-page")
    page.get_by_role("button", name="Make a new cohort report").click()
    page.get_by_role("link", name=re.compile("report", re.IGNORECASE)).click(timeout=GRADED_MS)
    expect(page.locator("h1")).to_be_visible()
    trainer.picture("report")
