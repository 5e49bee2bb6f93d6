"""The sections of the cohort report as HTML, each from one template in `templates/sections/`."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date
from markupsafe import Markup

from course.standing import LOW_SHARE, STUCK_QUESTIONS, STUCK_TRIES, Step
from graders.reports import charts
from graders.reports.cohort import Cohort
from graders.reports.rendering import Renderer
from graders.reports.wording import STEPS, Wording

MOST_DAYS = 28
MOST_QUESTIONS = 10


class Sections:
    """Renders a cohort; every method returns one section as an HTML fragment."""

    def __init__(self, cohort: Cohort) -> None:
        self._cohort = cohort
        request = cohort.request
        self._wording = Wording(request.language, request.time_zone, request.generated_at)
        self._renderer = Renderer(self._wording)

    def head(self) -> str:
        """Title, when it was made, and the figures of the day."""
        return self._renderer.render("head", cohort=self._cohort, figures=self._cohort.figures)

    def today(self) -> str:
        """Who needs the trainer today, and why."""
        return self._renderer.render("today", needing=self._cohort.needing, marking=self._cohort.marking)

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
        return self._renderer.render(
            "places",
            modules=record.modules,
            standings=self._cohort.standings,
            chart=self._image(chart, " ".join(sentences)) if self._cohort.standings else "",
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
        return self._renderer.render(
            "activity",
            chart=self._image(chart, text.format(days=", ".join(days) or "0")),
            days=len(active),
            learners=len(record.learners),
            has_due=any(first <= day <= last for day in due),
        )

    def exercises(self) -> str:
        """Scores for each exercise of the modules that somebody has handed in."""
        titles = {module.slug: module.title for module in self._cohort.record.modules}
        begun = {score.assignment for score in self._cohort.record.scores}
        results = [result for result in self._cohort.exercise_results if result.exercise.assignment in begun]
        return self._renderer.render("exercises", results=results, titles=titles)

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
        return self._renderer.render(
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
        return self._renderer.render("questions", results=hardest[:MOST_QUESTIONS], titles=titles)

    def notes(self) -> str:
        """How the figures come about."""
        return self._renderer.render(
            "notes",
            quiet_days=self._wording.number(self._cohort.request.quiet_days),
            low_share=self._wording.percent(LOW_SHARE),
            stuck_tries=STUCK_TRIES,
            stuck_questions=STUCK_QUESTIONS,
        )

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
