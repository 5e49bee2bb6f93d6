"""Facts as a trainer reads them, in the language and time zone of the cohort."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent

from course.language import translator
from course.standing import Cause, LearnerStanding, ModuleStanding, Reason, Step

SURFACE = "report"


@dataclass(frozen=True, slots=True)
class Wording:
    """Turns facts into text; the text is plain, not yet HTML."""

    language: str
    time_zone: str
    now: datetime

    def text(self, message: str) -> str:
        """Return `message` in the reader's language."""
        return translator(SURFACE, self.language)(message)

    def moment(self, when: datetime) -> str:
        """Return date and time in the cohort's time zone."""
        return format_datetime(
            when, "EEE d MMM y, HH:mm", tzinfo=ZoneInfo(self.time_zone), locale=self.language
        )

    def day(self, when: datetime) -> str:
        """Return the weekday and date in the cohort's time zone."""
        return format_date(self._local_date(when), "EEE d MMM", locale=self.language)

    def age(self, when: datetime) -> str:
        """Return how many calendar days ago it was in the cohort's time zone."""
        days = (self._local_date(self.now) - self._local_date(when)).days
        if days <= 0:
            return self.text("today")
        if days == 1:
            return self.text("yesterday")
        return self.text("{count} days ago").format(count=days)

    def percent(self, share: float) -> str:
        """Return a share without decimals."""
        return format_percent(share, "#,##0%" if self.language == "en" else None, locale=self.language)

    def number(self, value: float) -> str:
        """Return points with at most one decimal."""
        return format_decimal(value, "#,##0.#", locale=self.language)

    def cause(self, cause: Cause) -> str:
        """Return the short name of a reason."""
        return self.text(_CAUSES[cause])

    def reason(self, reason: Reason) -> str:
        """Return the evidence for a reason, as a sentence."""
        message = _EVIDENCE_SINCE[reason.cause] if reason.since else _EVIDENCE[reason.cause]
        sentence = self.text(message).format(
            modules=", ".join(reason.modules),
            count=reason.count,
            share="" if reason.share is None else self.percent(reason.share),
            day=self.day(reason.since) if reason.since else "",
            age=self.age(reason.since) if reason.since else "",
        )
        # A month may be an abbreviation, whose dot ends the sentence too.
        return sentence.removesuffix(".") if sentence.endswith("..") else sentence

    def last_activity(self, standing: LearnerStanding) -> str:
        """Return when the learner last did something."""
        return self.age(standing.last_activity) if standing.last_activity else self.text("no activity yet")

    def step(self, standing: ModuleStanding) -> str:
        """Return how far a learner is in a module, in a few words."""
        if standing.step == "started":
            return self.text("quiz {answered} of {questions}").format(
                answered=standing.answered, questions=len(standing.module.questions)
            )
        if standing.step == "graded" and standing.score and standing.score.share is not None:
            return self.percent(standing.score.share)
        return self.text(STEPS[standing.step])

    def _local_date(self, when: datetime) -> date:
        return when.astimezone(ZoneInfo(self.time_zone)).date()


STEPS: dict[Step, str] = {
    "graded": "graded",
    "handed in": "handed in",
    "failed": "grading failed",
    "started": "started",
    "not started": "not started",
}

_CAUSES: dict[Cause, str] = {
    "failed": "Grading failed",
    "absent": "Not started",
    "quiet": "Gone quiet",
    "overdue": "Overdue",
    "low": "Low score",
    "stuck": "Stuck",
}

_EVIDENCE: dict[Cause, str] = {
    "failed": "A submission could not be graded: {modules}.",
    "absent": "No activity yet.",
    "quiet": "No activity lately.",
    "overdue": "Not handed in: {modules}.",
    "low": "{share} of the points in {modules}.",
    "stuck": "Quiz questions tried again and never right: {count}.",
}

_EVIDENCE_SINCE: dict[Cause, str] = {
    "failed": "Could not be graded since {day}: {modules}.",
    "absent": "No activity since the course began on {day}.",
    "quiet": "No activity since {day}, {age}.",
    "overdue": "Not handed in, due {day}: {modules}.",
    "low": "{share} of the points in {modules}, handed in {day}.",
    "stuck": "Quiz questions tried again and never right: {count}, first on {day}.",
}
