"""The sections of the cohort report as HTML, each from one template in `templates/sections/`.

Every value passes Jinja's escaping: names, answers and file contents are hostile text. Markup of our own
making is marked as such here and nowhere else.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from course.item_analysis import ExerciseResult
from course.standing import LOW_SHARE, STUCK_QUESTIONS, STUCK_TRIES, Step
from graders.reports import charts
from graders.reports.cohort import Cohort
from graders.reports.wording import STEPS, Wording

TEMPLATES = Path(__file__).parent / "templates"
MOST_DAYS = 28
MOST_QUESTIONS = 10
FEW = 5
HEAT_STEPS = (0.4, 0.6, 0.75, 0.9)


class Sections:
    """Renders a cohort; every method returns one section as an HTML fragment."""

    def __init__(self, cohort: Cohort) -> None:
        self._cohort = cohort
        request = cohort.request
        self._wording = Wording(request.language, request.time_zone, request.generated_at)
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES / "sections"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(_=self._wording.text, wording=self._wording, few=FEW)
        self._templates.filters.update(
            heat=heat,
            inline=_inline_markdown,
            percent=self._wording.percent,
            groups=_by_assignment,
            exercise_name=_exercise_name,
        )

    def head(self) -> str:
        """Title, when it was made, and the figures of the day."""
        return self._render("head", cohort=self._cohort, figures=self._figures())

    def today(self) -> str:
        """Who needs the trainer today, and why."""
        return self._render("today", needing=self._cohort.needing, marking=self._cohort.marking)

    def places(self) -> str:
        """How far each learner is in each module."""
        record = self._cohort.record
        counts = [
            Counter(standing.modules[index].step for standing in self._cohort.standings)
            for index in range(len(record.modules))
        ]
        labels = {step: self._wording.text(STEPS[step]) for step in charts.STEP_COLOURS}
        chart = charts.steps([module.title for module in record.modules], counts, labels)
        sentences = [
            f"{module.title}: {self._listed(count, labels)}."
            for module, count in zip(record.modules, counts, strict=True)
        ]
        return self._render(
            "places",
            modules=record.modules,
            standings=self._cohort.standings,
            chart=self._image(chart, " ".join(sentences)),
        )

    def activity(self) -> str:
        """How many learners were active on each day."""
        record = self._cohort.record
        zone = ZoneInfo(self._cohort.request.time_zone)
        last = record.now.astimezone(zone).date()
        first = max(last - timedelta(days=MOST_DAYS - 1), self._first_day(last))
        times = [
            (event.learner, event.occurred_at) for event in record.events if event.kind != "assignment.graded"
        ]
        active = charts.active_by_day(times, first, last, zone)
        due = [module.due_at.astimezone(zone).date() for module in record.modules if module.due_at]
        chart = charts.activity(active, len(record.learners), due, self._wording.language)
        days = [f"{self._day(day)}: {count}" for day, count in active.items() if count]
        text = self._wording.text("Learners active each day: {days}.")
        return self._render(
            "activity",
            chart=self._image(chart, text.format(days=", ".join(days) or "0")),
            days=len(active),
            learners=len(record.learners),
            has_due=any(first <= day <= last for day in due),
        )

    def exercises(self) -> str:
        """Scores for each exercise."""
        titles = {module.slug: module.title for module in self._cohort.record.modules}
        return self._render("exercises", results=self._cohort.exercise_results, titles=titles)

    def skills(self) -> str:
        """Scores for each skill, for the group and for each learner."""
        results = self._cohort.skill_results
        titles = {skill.id: skill.title for skill in self._cohort.skills.skills}
        chart = charts.shares(
            [titles[result.skill] for result in results],
            [list(result.shares.values()) for result in results],
            [f"n = {len(result.shares)}" for result in results],
            self._wording.percent,
        )
        means = [
            f"{titles[result.skill]} {self._wording.percent(result.mean_share)}"
            for result in results
            if result.mean_share is not None
        ]
        text = self._wording.text("Mean of each skill: {means}.").format(means=", ".join(means))
        return self._render(
            "skills",
            results=results,
            titles=titles,
            learners=self._cohort.record.learners,
            chart=self._image(chart, text) if results else "",
        )

    def questions(self) -> str:
        """The quiz questions that most learners got wrong at first."""
        hardest = [result for result in self._cohort.question_results if result.share_right < 1]
        titles = {module.slug: module.title for module in self._cohort.record.modules}
        return self._render("questions", results=hardest[:MOST_QUESTIONS], titles=titles)

    def notes(self) -> str:
        """How the figures come about."""
        return self._render(
            "notes",
            quiet_days=self._wording.number(self._cohort.request.quiet_days),
            low_share=self._wording.percent(LOW_SHARE),
            stuck_tries=STUCK_TRIES,
            stuck_questions=STUCK_QUESTIONS,
        )

    def _figures(self) -> Mapping[str, int]:
        causes = Counter(reason.cause for standing in self._cohort.standings for reason in standing.reasons)
        return {
            "learners": len(self._cohort.standings),
            "need you today": len(self._cohort.needing),
            "gone quiet or not started": causes["quiet"] + causes["absent"],
            "with overdue work": causes["overdue"],
            "written answers to mark": sum(work.answers for work in self._cohort.marking),
        }

    def _first_day(self, last: date) -> date:
        """Return the first day that can have activity."""
        record = self._cohort.record
        zone = ZoneInfo(self._cohort.request.time_zone)
        known = [event.occurred_at.astimezone(zone).date() for event in record.events]
        if self._cohort.request.cohort_start:
            known.append(self._cohort.request.cohort_start)
        return min([*known, last - timedelta(days=6)])

    def _day(self, day: date) -> str:
        return format_date(day, "d MMM", locale=self._wording.language)

    def _listed(self, counts: Mapping[Step, int], labels: Mapping[Step, str]) -> str:
        return ", ".join(f"{labels[step]} {counts[step]}" for step in labels if counts.get(step))

    def _image(self, svg: bytes, description: str) -> Markup:
        data = b64encode(svg).decode()
        return Markup('<img class="chart" src="data:image/svg+xml;base64,{}" alt="{}">').format(
            data, description
        )

    def _render(self, section: str, **values: Any) -> str:
        return self._templates.get_template(f"{section}.html.j2").render(values)


def heat(share: float) -> str:
    """Return the CSS class of a share: `heat-0` for the weakest to `heat-4`."""
    return f"heat-{sum(share >= step for step in HEAT_STEPS)}"


def _by_assignment(results: Iterable[ExerciseResult]) -> list[list[ExerciseResult]]:
    return [list(group) for _, group in groupby(results, key=lambda result: result.exercise.assignment)]


def _exercise_name(cell: str) -> str:
    """Return a grade id as its author knows it: the tests of an exercise carry its name and a suffix."""
    return cell.removesuffix("-tests")


def _inline_markdown(text: str) -> Markup:
    """Return an author's one line as HTML: emphasis and code; links, pictures and HTML stay text."""
    markdown = MarkdownIt("zero").enable(["emphasis", "backticks", "escape", "entity"])
    return Markup(markdown.renderInline(" ".join(text.split())))  # noqa: S704 - escaped by the renderer
