"""Who is where, who has gone quiet, and who needs the trainer today: rules over the record, nothing stored.

A module counts half for its quiz (the share of questions answered) and half for being handed in; one without
a quiz counts when it is handed in.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from course.due_dates import later
from course.events import Event
from course.roster import Member
from course.scores import AssignmentScore
from course.submissions import Submission

Step = Literal["not started", "started", "handed in", "graded", "failed"]
Cause = Literal["failed", "absent", "quiet", "overdue", "low", "stuck"]

URGENCY: Mapping[Cause, int] = {
    "failed": 5,  # the course let this learner down
    "absent": 4,
    "quiet": 4,
    "overdue": 3,
    "low": 3,
    "stuck": 2,
}

LOW_SHARE = 0.5
STUCK_TRIES = 2
STUCK_QUESTIONS = 2


@dataclass(frozen=True, slots=True)
class Module:
    """One module as standing needs it; `questions` are ids of its quiz."""

    slug: str
    title: str
    due_at: datetime | None
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CourseRecord:
    """Everything that standing is derived from.

    `now` and all times are aware; `handed_in` has the newest submission of each learner and assignment,
    `last_seen` the last visit to the hub by user name.
    """

    now: datetime
    cohort_start: datetime | None
    members: Sequence[Member]
    modules: Sequence[Module]
    events: Sequence[Event]
    handed_in: Sequence[Submission]
    scores: Sequence[AssignmentScore]
    last_seen: Mapping[str, datetime]
    extensions: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    """Until when a learner may hand in, by learner and module, where that is later than for the others."""

    def module_of(self, learner: str, module: Module) -> Module:
        """Return a module as it is due for a learner."""
        return replace(module, due_at=later(module.due_at, self.extensions.get((learner, module.slug))))

    @property
    def learners(self) -> tuple[Member, ...]:
        """The members who learn, by the name shown."""
        learners = (member for member in self.members if member.role == "learner")
        return tuple(sorted(learners, key=lambda member: (_sort_key(member.display_name), member.name)))


@dataclass(frozen=True, slots=True)
class ModuleStanding:
    """How far one learner is in one module."""

    module: Module
    answered: int
    handed_in: Submission | None
    score: AssignmentScore | None
    overdue: bool

    @property
    def progress(self) -> float:
        """Between 0 and 1."""
        handed_in = float(self.handed_in is not None)
        questions = len(self.module.questions)
        return (self.answered / questions + handed_in) / 2 if questions else handed_in

    @property
    def step(self) -> Step:
        """The furthest that the learner came."""
        if self.handed_in is None:
            return "started" if self.answered else "not started"
        if self.handed_in.state == "failed":
            return "failed"
        return "graded" if self.handed_in.state == "graded" else "handed in"

    @property
    def late(self) -> bool:
        """Whether it was handed in after it was due."""
        due_at = self.module.due_at
        return self.handed_in is not None and due_at is not None and self.handed_in.received_at > due_at


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a learner needs the trainer; `since` is when it began, if that is known."""

    cause: Cause
    since: datetime | None = None
    modules: tuple[str, ...] = ()
    count: int = 0
    share: float | None = None


@dataclass(frozen=True, slots=True)
class LearnerStanding:
    """Where one learner stands; `modules` in the order of the course."""

    member: Member
    last_activity: datetime | None
    modules: tuple[ModuleStanding, ...]
    reasons: tuple[Reason, ...]

    @property
    def progress(self) -> float:
        """Mean over the modules, between 0 and 1."""
        return sum(module.progress for module in self.modules) / len(self.modules) if self.modules else 0.0

    @property
    def share(self) -> float | None:
        """Points over points of everything marked so far; None while nothing is."""
        scores = [module.score for module in self.modules if module.score]
        marked = sum(score.marked_max_points for score in scores)
        return sum(score.points for score in scores) / marked if marked else None

    @property
    def urgency(self) -> int:
        """Sum over the reasons; 0 if there is none."""
        return sum(URGENCY[reason.cause] for reason in self.reasons)

    def reason(self, cause: Cause) -> Reason | None:
        """Return the reason of that kind, if there is one."""
        return next((reason for reason in self.reasons if reason.cause == cause), None)


@dataclass(frozen=True, slots=True)
class Marking:
    """Written answers to one module that wait for a person's marks; `since` is when the first came in."""

    module: Module
    answers: int
    learners: int
    since: datetime | None


def standings(record: CourseRecord, *, quiet_days: float = 7) -> tuple[LearnerStanding, ...]:
    """Return where every learner stands, by the name shown.

    Args:
        record: What happened.
        quiet_days: A learner who did nothing and was not at the hub for longer has gone quiet.

    Raises:
        ValueError: `record.now` has no time zone.
    """
    if record.now.tzinfo is None:
        raise ValueError("now has no time zone")
    events = defaultdict(list)
    for event in record.events:
        events[event.learner].append(event)
    handed_in = {(item.learner, item.assignment): item for item in record.handed_in}
    scores = {(score.learner, score.assignment): score for score in record.scores}
    found = []
    for member in record.learners:
        own = events[member.name]
        modules = tuple(
            _module_standing(
                record.now,
                record.module_of(member.name, module),
                own,
                handed_in.get((member.name, module.slug)),
                scores.get((member.name, module.slug)),
            )
            for module in record.modules
        )
        active = [event.occurred_at for event in own if event.kind != "assignment.graded"]
        active += [module.handed_in.received_at for module in modules if module.handed_in]
        # Who works in notebooks alone leaves no event for days, but is seen.
        active += [seen for seen in [record.last_seen.get(member.name)] if seen and seen <= record.now]
        last_activity = max(active, default=None)
        reasons = _reasons(record, quiet_days, last_activity, modules, own)
        found.append(LearnerStanding(member, last_activity, modules, tuple(reasons)))
    return tuple(found)


def needing(standings: Iterable[LearnerStanding]) -> tuple[LearnerStanding, ...]:
    """Return who needs the trainer, the most urgent first; among equals, who has waited longest."""

    def order(standing: LearnerStanding) -> tuple[int, float, str]:
        since = [reason.since.timestamp() for reason in standing.reasons if reason.since]
        return -standing.urgency, min(since, default=0.0), _sort_key(standing.member.display_name)

    return tuple(sorted((standing for standing in standings if standing.reasons), key=order))


def marking(standings: Iterable[LearnerStanding]) -> tuple[Marking, ...]:
    """Return what waits for the trainer's marks, in the order of the course."""
    waiting: dict[str, list[ModuleStanding]] = defaultdict(list)
    order: dict[str, Module] = {}
    for standing in standings:
        for module in standing.modules:
            order[module.module.slug] = module.module
            if module.score and module.score.waiting:
                waiting[module.module.slug].append(module)
    return tuple(
        Marking(
            module,
            answers=sum(standing.score.waiting for standing in waiting[slug] if standing.score),
            learners=len(waiting[slug]),
            since=min(
                (standing.handed_in.received_at for standing in waiting[slug] if standing.handed_in),
                default=None,
            ),
        )
        for slug, module in order.items()
        if waiting[slug]
    )


def _module_standing(
    now: datetime,
    module: Module,
    events: Iterable[Event],
    handed_in: Submission | None,
    score: AssignmentScore | None,
) -> ModuleStanding:
    subjects = {f"{module.slug}/{question}" for question in module.questions}
    answered = {event.subject for event in events if event.kind == "quiz.answered"} & subjects
    overdue = handed_in is None and module.due_at is not None and module.due_at < now
    return ModuleStanding(module, len(answered), handed_in, score, overdue)


def _sort_key(name: str) -> str:
    """Return `name` without case and accents: Élodie stands beside Edith."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _reasons(
    record: CourseRecord,
    quiet_days: float,
    last_activity: datetime | None,
    modules: tuple[ModuleStanding, ...],
    events: Iterable[Event],
) -> Iterable[Reason]:
    """Yield the reasons, the most urgent first."""
    yield from _failed(modules)
    if not all(module.handed_in for module in modules):
        yield from _silent(record, timedelta(days=quiet_days), last_activity)
    yield from _overdue(modules)
    yield from _low(modules)
    yield from _stuck(modules, events)


def _failed(modules: Iterable[ModuleStanding]) -> Iterable[Reason]:
    failed = [module for module in modules if module.step == "failed"]
    if failed:
        since = min(module.handed_in.received_at for module in failed if module.handed_in)
        yield Reason("failed", since, tuple(module.module.title for module in failed))


def _silent(record: CourseRecord, limit: timedelta, last_activity: datetime | None) -> Iterable[Reason]:
    if last_activity is None:
        # Before the course has run for a while, an empty record says nothing about a person.
        if record.cohort_start is None or record.now - record.cohort_start >= limit:
            yield Reason("absent", record.cohort_start)
    elif record.now - last_activity > limit:
        yield Reason("quiet", last_activity)


def _overdue(modules: Iterable[ModuleStanding]) -> Iterable[Reason]:
    overdue = [module.module for module in modules if module.overdue]
    if overdue:
        since = min(module.due_at for module in overdue if module.due_at)
        yield Reason("overdue", since, tuple(module.title for module in overdue))


def _low(modules: Iterable[ModuleStanding]) -> Iterable[Reason]:
    """Only the newest graded module counts: what was weak and then went well is no news."""
    graded = [
        (module.handed_in.received_at, module.score.share, module.module.title)
        for module in modules
        if module.handed_in and module.score and module.score.share is not None
    ]
    if graded:
        since, share, title = max(graded)
        if share < LOW_SHARE:
            yield Reason("low", since, (title,), share=share)


def _stuck(modules: Iterable[ModuleStanding], events: Iterable[Event]) -> Iterable[Reason]:
    """Several questions tried more than once and never right, in what is not handed in yet."""
    open_modules = {module.module.slug for module in modules if module.handed_in is None}
    tries = defaultdict(list)
    for event in events:
        if event.kind == "quiz.answered" and event.subject.split("/")[0] in open_modules:
            tries[event.subject].append(event)
    stuck = [
        answers
        for answers in tries.values()
        if len(answers) >= STUCK_TRIES and not any(answer.data["right"] for answer in answers)
    ]
    if len(stuck) >= STUCK_QUESTIONS:
        since = min(answer.occurred_at for answers in stuck for answer in answers)
        yield Reason("stuck", since, count=len(stuck))
