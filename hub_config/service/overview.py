"""The sponsor's page: how the group does, and nothing of a person."""

from __future__ import annotations

from datetime import UTC, datetime

from course.aggregates import ACTIVE_DAYS, SMALLEST_GROUP, CohortAggregate, aggregate
from course.roster import SPONSORING, TEACHING
from graders.reports.cohort import read_cohort
from hub_config.reports import cohort_request
from hub_config.service.handler import Route
from hub_config.service.pages import PageHandler


class OverviewPage(PageHandler):
    """`GET overview`: the figures of the group; trainers see the same page as sponsors."""

    roles = TEACHING | SPONSORING

    async def get(self) -> None:
        title, figures = await self.run(self._read)
        self.show("overview", title=title, figures=figures, smallest=SMALLEST_GROUP, days=ACTIVE_DAYS)

    def _read(self) -> tuple[str, CohortAggregate]:
        services = self.services
        now = datetime.now(UTC)
        cohort = read_cohort(cohort_request(services.state, services.settings, now))
        titles = {skill.id: skill.title for skill in cohort.skills.skills}
        return cohort.title, aggregate(
            cohort.record.modules, cohort.standings, cohort.skill_results, titles, now
        )


routes: tuple[Route, ...] = ((r"overview", OverviewPage),)
