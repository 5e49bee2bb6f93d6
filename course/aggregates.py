"""What a sponsor may know of a cohort: figures of groups, none of a person.

Nothing is told of a group of fewer than five people, nor of one that could be worked out from what is told:
where seventeen of twenty have handed in, the three others are such a group. Means are rounded to 5 %, so that
who looks every day does not read from two means what the learner who came between them has reached.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from course.item_analysis import SkillResult
from course.standing import LearnerStanding, Module, ModuleStanding

SMALLEST_GROUP = 5
ROUNDED_TO = 0.05
ACTIVE_DAYS = 7


@dataclass(frozen=True, slots=True)
class ModuleAggregate:
    """How a group did in one module: how many handed it in, and the mean share of points of those marked."""

    title: str
    handed_in: int | None
    share: float | None


@dataclass(frozen=True, slots=True)
class SkillAggregate:
    """The mean share of a skill's points of those in whom it was assessed."""

    title: str
    share: float | None


@dataclass(frozen=True, slots=True)
class CohortAggregate:
    """A cohort without its people; None stands for what would tell of too few."""

    learners: int | None
    active: int | None
    modules: tuple[ModuleAggregate, ...]
    skills: tuple[SkillAggregate, ...]


def aggregate(
    modules: Sequence[Module],
    standings: Sequence[LearnerStanding],
    skills: Sequence[SkillResult],
    titles: Mapping[str, str],
    now: datetime,
) -> CohortAggregate:
    """Return what a sponsor may know.

    Args:
        modules: Those of the course; each standing has them in the same order.
        standings: Of every learner.
        skills: How skills stand, of these learners.
        titles: Of skills, by id.
        now: Those who did something within `ACTIVE_DAYS` before are active.
    """
    learners = len(standings)
    since = now - timedelta(days=ACTIVE_DAYS)
    seen = [standing.last_activity for standing in standings if standing.last_activity]
    active = sum(last_activity >= since for last_activity in seen)
    return CohortAggregate(
        learners=learners if learners >= SMALLEST_GROUP else None,
        active=count(active, learners),
        modules=tuple(
            _module(module, [standing.modules[place] for standing in standings])
            for place, module in enumerate(modules)
        ),
        skills=tuple(SkillAggregate(titles[skill.skill], mean(skill.shares.values())) for skill in skills),
    )


def count(some: int, of: int) -> int | None:
    """Return `some`, or None when it or the rest of `of` is a group that is too small to tell of.

    Nobody and everybody are no such groups, where there are enough people in all.
    """
    small = any(0 < group < SMALLEST_GROUP for group in (some, of - some))
    return None if small or of < SMALLEST_GROUP else some


def mean(shares: Collection[float]) -> float | None:
    """Return the mean of shares between 0 and 1, rounded; None of fewer than five."""
    if len(shares) < SMALLEST_GROUP:
        return None
    return round(round(sum(shares) / len(shares) / ROUNDED_TO) * ROUNDED_TO, 2)


def _module(module: Module, standings: Sequence[ModuleStanding]) -> ModuleAggregate:
    marked = [standing.score.share for standing in standings if standing.score]
    return ModuleAggregate(
        module.title,
        count(sum(standing.handed_in is not None for standing in standings), len(standings)),
        mean([share for share in marked if share is not None]),
    )
