"""Everything that reports and the trainer's page say exists in French, with the same placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.extract import extract_from_dir

from course.language import catalogue
from course.scores import CellKind
from course.standing import Cause, Reason
from graders.reports import wording
from graders.reports.prompt import brief_prompt
from graders.reports.rendering import TEMPLATES
from graders.reports.wording import Wording
from hub_config.service import pages

pytestmark = pytest.mark.quick

REPORTS = Path(wording.__file__).parent
MORNING = datetime(2026, 3, 18, 7, 30, tzinfo=UTC)


def messages() -> Iterator[str]:
    for folder in (TEMPLATES / "sections", pages.HERE / "templates"):
        for found in extract_from_dir(folder, [("**.j2", "jinja2")], keywords={"_": None}):
            yield str(found[2])
    for found in extract_from_dir(REPORTS, [("*.py", "python")], keywords={"text": None}):
        yield str(found[2])
    yield from get_args(CellKind)
    for table in (wording.STEPS, wording._CAUSES, wording._EVIDENCE, wording._EVIDENCE_SINCE):
        yield from table.values()


def test_every_message_is_translated_and_keeps_its_placeholders() -> None:
    french = catalogue("report", "fr")
    found = set(messages())
    assert len(found) > 60
    assert found - french.keys() == set()
    changed = [
        message
        for message in found
        if sorted(re.findall(r"\{\w+\}", message)) != sorted(re.findall(r"\{\w+\}", french[message]))
    ]
    assert changed == []


def test_the_figures_of_the_day_are_translated() -> None:
    source = (REPORTS / "cohort.py").read_text(encoding="utf-8")
    labels = re.findall(r'^ {12}"([a-z ]+)": ', source, re.MULTILINE)
    assert len(labels) == 5
    assert set(labels) <= catalogue("report", "fr").keys()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("since", [None, MORNING, datetime(2025, 11, 24, tzinfo=UTC)])
def test_every_reason_reads_as_a_sentence(language: str, since: datetime | None) -> None:
    said = Wording(language, "Europe/Paris", MORNING)
    for cause in get_args(Cause):
        sentence = said.reason(Reason(cause, since, ("Tables",), 3, 0.4))
        assert sentence.endswith(".")
        assert not sentence.endswith("..")
        assert "{" not in sentence
        assert said.cause(cause)


PROMPT = """```python
SEGMENTS = ["a"]
```

What does *this* give?

| a | b |
|---|---|
| 1 | 2 |

Think of `NaN`."""


@pytest.mark.parametrize(
    ("prompt", "brief"),
    [
        (PROMPT, "What does *this* give? Think of `NaN`."),
        ("```python\nprint(1)\n```", "print(1)"),
        ("- one\n- two", "one two"),
    ],
)
def test_a_question_is_told_by_its_words_without_code_and_tables(prompt: str, brief: str) -> None:
    assert brief_prompt(prompt) == brief


def test_a_long_question_is_cut_at_a_word() -> None:
    brief = brief_prompt("word " * 100)
    assert len(brief) <= 200
    assert brief.endswith("word …")


def test_days_are_counted_by_the_calendar_of_the_cohorts_time_zone() -> None:
    late = datetime(2026, 3, 17, 22, 30, tzinfo=UTC)
    assert Wording("en", "Europe/London", MORNING).age(late) == "yesterday"
    assert Wording("en", "Europe/Paris", MORNING).age(late) == "yesterday"
    assert Wording("en", "Asia/Tokyo", MORNING).age(late) == "today"
    assert Wording("fr", "Europe/Paris", MORNING).age(datetime(2026, 3, 8, tzinfo=UTC)) == "il y a 10 jours"
