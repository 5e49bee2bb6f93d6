"""The cohort report, from the stores to the file that a trainer opens."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner

from course.errors import CourseError, FileProblems
from course.item_analysis import QuestionResult, answer_text
from course.state import StateFolder
from graders.reports.build import write_cohort_report
from graders.reports.cohort import Cohort, CohortRequest, read_cohort
from graders.reports.sections import Sections
from hub_config.cli import spoc
from hub_config.reports import cohort_request
from hub_config.settings import read_settings
from tests.cohort_state import HOSTILE_NAME, NAMES, START, make_cohort

NOW = datetime.combine(START, datetime.min.time(), UTC) + timedelta(days=16, hours=7)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    return make_cohort(tmp_path_factory.mktemp("state"), NOW, names=[*NAMES, HOSTILE_NAME])


def request_of(state: StateFolder, **changes: object) -> CohortRequest:
    return cohort_request(state, read_settings(state), NOW).model_copy(update=changes)


@pytest.fixture(scope="module")
def cohort(state: StateFolder) -> Cohort:
    return read_cohort(request_of(state))


@pytest.fixture(scope="module", params=["en", "fr"])
def report(request: pytest.FixtureRequest, state: StateFolder) -> BeautifulSoup:
    path = state.reports_dir / f"cohort-{request.param}.html"
    write_cohort_report(request_of(state, language=request.param), path)
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def test_the_report_needs_nothing_from_anywhere(report: BeautifulSoup) -> None:
    assert report.find_all(["script", "link", "iframe", "object", "embed", "form"]) == []
    addresses = [
        tag[name] for tag in report.find_all() for name in ("src", "href", "action") if tag.get(name)
    ]
    assert addresses
    assert all(str(address).startswith(("data:image/svg+xml;base64,", "#")) for address in addresses)
    assert "url(" not in str(report.style)
    assert "@import" not in str(report.style)


def test_a_hostile_name_is_text(report: BeautifulSoup) -> None:
    assert report.find("img", src="x") is None
    assert report.find("th", string=HOSTILE_NAME) is not None
    assert [tag for tag in report.find_all() for name in tag.attrs if name.startswith("on")] == []


def test_the_report_says_its_language_and_headings_follow_in_order(report: BeautifulSoup) -> None:
    assert report.html is not None
    assert report.html["lang"] in {"en", "fr"}
    levels = [int(heading.name[1]) for heading in report.find_all(re.compile("^h[1-6]$"))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_have_header_cells_and_pictures_have_words(report: BeautifulSoup) -> None:
    for table in report.find_all("table"):
        assert all(cell.get("scope") == "col" for cell in table.select("thead th"))
        assert all(row.find("th") for row in table.select("tbody tr"))
    pictures = report.find_all("img")
    assert len(pictures) == 3
    assert all(len(str(picture["alt"])) > 30 for picture in pictures)


def test_no_code_of_the_notebook_shows(report: BeautifulSoup) -> None:
    assert "read_cohort" not in str(report.body)


def test_times_are_those_of_the_cohorts_zone(state: StateFolder, cohort: Cohort) -> None:
    assert "Wed 18 Mar 2026, 08:00 (Europe/Paris)" in Sections(cohort).head()
    tokyo = read_cohort(request_of(state, time_zone="Asia/Tokyo"))
    assert "Wed 18 Mar 2026, 16:00 (Asia/Tokyo)" in Sections(tokyo).head()


def test_who_needs_help_stands_first_with_reasons(cohort: Cohort) -> None:
    causes = {
        standing.member.display_name: [reason.cause for reason in standing.reasons]
        for standing in cohort.needing
    }
    assert list(causes)[:3] == ["Dilan Öztürk", "Inès Lefèvre", "Mei Tanaka"]
    assert causes["Dilan Öztürk"] == ["absent", "overdue"]
    assert causes["Inès Lefèvre"] == ["quiet", "overdue"]
    assert causes["Mei Tanaka"] == ["failed"]


def test_the_limit_for_quiet_is_the_trainers(state: StateFolder) -> None:
    patient = read_cohort(request_of(state, quiet_days=30))
    assert all(standing.reason("quiet") is None for standing in patient.standings)


def test_what_a_trainer_or_a_former_member_did_is_not_counted(cohort: Cohort) -> None:
    learners = {member.name for member in cohort.record.learners}
    assert "tia" not in learners
    assert {event.learner for event in cohort.record.events} <= learners


def test_skills_come_from_exercises_and_questions(cohort: Cohort) -> None:
    assert [result.skill for result in cohort.skill_results] == [skill.id for skill in cohort.skills.skills]
    assert {exercise.kind for exercise in cohort.exercises} == {"tests", "written", "quiz"}


def test_an_answer_in_a_learners_own_words_is_shown_as_text(cohort: Cohort) -> None:
    question = next(found for found in cohort.questions if not found.choices)
    words = "<script>alert(1)</script> **bold** [x](javascript:alert(1))"
    said = answer_text(question, words)
    result = QuestionResult(question, 8, 2, 3, (0.1, 0.6), said, 5)
    html = BeautifulSoup(_with_questions(cohort, result).questions(), "html.parser")
    assert html.find(["script", "a", "strong"]) is None
    assert words in html.get_text()


def test_the_whole_question_is_one_click_away_and_stays_text(cohort: Cohort) -> None:
    asked = next(found for found in cohort.questions if found.id == "third")
    prompt = (
        "# Big\n\nHow many?\n\n```python\na.merge(b)\n```\n\n<script>1</script> [x](javascript:1) ![y](//z)"
    )
    changed = replace(asked, prompt=prompt)
    html = BeautifulSoup(
        _with_questions(cohort, QuestionResult(changed, 8, 2, 3, (0.1, 0.6), "7", 5)).questions(),
        "html.parser",
    )
    whole = html.select_one("details")
    assert whole is not None
    assert whole.pre is not None
    assert whole.pre.get_text() == "a.merge(b)\n"
    assert "<script>1</script> [x](javascript:1)" in whole.get_text()
    assert html.find(["script", "a", "img", "h1"]) is None


@pytest.mark.parametrize(("language", "said"), [("en", "missing: "), ("fr", "il manque : ")])
def test_what_most_learners_left_out_is_said_to_be_missing(
    state: StateFolder, language: str, said: str
) -> None:
    cohort = read_cohort(request_of(state, language=language))
    asked = next(found for found in cohort.questions if found.id == "second")
    assert asked.right == {"a", "c"}
    result = QuestionResult(asked, 8, 2, 3, (0.1, 0.6), "An empty cell of the file", 5, only_missing=True)
    assert f"{said}An empty cell of the file" in _with_questions(cohort, result).questions()


def _with_questions(cohort: Cohort, *results: QuestionResult) -> Sections:
    changed = Cohort(
        cohort.title, cohort.request, cohort.record, cohort.skills, cohort.exercises, cohort.questions
    )
    vars(changed)["question_results"] = results
    return Sections(changed)


def test_an_empty_cohort_has_a_report_that_says_so(tmp_path: Path) -> None:
    state = make_cohort(tmp_path / "state", NOW, names=[])
    found = write_cohort_report(request_of(state), state.reports_dir / "cohort.html")
    assert found.standings == ()
    html = (state.reports_dir / "cohort.html").read_text(encoding="utf-8")
    for sentence in (
        "The cohort has no learners yet.",
        "No submission has been graded yet.",
        "No skill has been assessed yet.",
        "No question has been answered wrongly yet.",
    ):
        assert sentence in html


def test_one_learner_on_the_first_day_has_a_report_and_no_alarm(tmp_path: Path) -> None:
    first_day = NOW - timedelta(days=15)
    state = make_cohort(tmp_path / "state", first_day, names=["Ada Nguyen"])
    found = write_cohort_report(request_of(state, generated_at=first_day), tmp_path / "report.html")
    assert [standing.reasons for standing in found.standings] == [()]


def test_a_failed_report_leaves_the_one_before(state: StateFolder, tmp_path: Path) -> None:
    old = tmp_path / "cohort.html"
    old.write_text("yesterday's")
    with pytest.raises(FileProblems):
        write_cohort_report(request_of(state, modules_dir=tmp_path), old)
    assert old.read_text() == "yesterday's"
    assert list(tmp_path.iterdir()) == [old]


def test_a_folder_without_a_course_is_named_with_the_next_command(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="spoc cohort import"):
        read_cohort(CohortRequest(state_dir=tmp_path, modules_dir=tmp_path, generated_at=NOW))
    assert list(tmp_path.iterdir()) == []


def test_the_command_prints_one_json_object_for_a_script(state: StateFolder) -> None:
    result = CliRunner().invoke(spoc, ["report", "cohort", "--state-dir", str(state.root), "--json"])
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    assert Path(summary["report"]) == state.reports_dir / "cohort.html"
    assert summary["learners"] == 19
    assert (state.reports_dir / "cohort.html").stat().st_mode & 0o077 == 0
