"""`GET metrics`: how the course does, as numbers that Prometheus reads; none is about one person.

What the record knows is counted from it at each reading, so that numbers go on after a restart. A request is
counted under the name of its handler: a path may name a learner.
"""

from __future__ import annotations

import asyncio
import hmac
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from tornado.web import Application, HTTPError, RequestHandler

from course.events import event_table
from course.submissions import submission
from hub_config.secrets import METRICS_SERVICE, secret
from hub_config.service.handler import SecuredHandler, Services

BUCKETS_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.3, 0.5, 1, 2, 5, 10, 30)
STATES = ("received", "grading", "graded", "failed")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The numbers of one course service.

    Attributes:
        token: Who has it may read them, in the course service and in the hub.
    """

    def __init__(self, services: Services) -> None:
        self.token = secret(services.state, METRICS_SERVICE)
        self._registry = CollectorRegistry()
        self._registry.register(_Record(services))
        ProcessCollector(namespace="spoc_service", registry=self._registry)
        self._durations = Histogram(
            "spoc_request_duration_seconds",
            "Time to answer a request, its upload included.",
            ("handler", "method", "status"),
            buckets=BUCKETS_SECONDS,
            registry=self._registry,
        )

    def count(self, handler: RequestHandler) -> None:
        """Count a request that was answered."""
        # Whoever sends methods of their own must not make a series of each.
        method = handler.request.method if handler.request.method in METHODS else "other"
        labels = (type(handler).__name__, str(method), str(handler.get_status()))
        self._durations.labels(*labels).observe(handler.request.request_time())

    def text(self) -> bytes:
        """Return all numbers as Prometheus reads them; asks the database."""
        return generate_latest(self._registry)


class MeasuredApplication(Application):
    """Counts every request in `settings["metrics"]`."""

    def log_request(self, handler: RequestHandler) -> None:
        self.settings["metrics"].count(handler)
        super().log_request(handler)


class MetricsHandler(SecuredHandler):
    """`GET metrics`: needs the token in `secrets/metrics`; that of a member, or none, is refused.

    To come from the loopback is no proof: so does whatever the proxy brings.
    """

    async def get(self) -> None:
        settings = self.application.settings
        metrics: Metrics = settings["metrics"]
        kind, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if kind.lower() not in {"bearer", "token"} or not _is_same(token.strip(), metrics.token):
            raise HTTPError(403)
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        loop = asyncio.get_running_loop()
        self.finish(await loop.run_in_executor(settings["threads"], metrics.text))


class _Record(Collector):
    """What the database and the disk say at the moment."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        c = submission.c
        is_first_wait = (c.state == "received") & c.feedback_at.is_(None)
        with self._services.database.read() as connection:
            by_state = connection.execute(select(c.state, func.count()).group_by(c.state))
            states: dict[str, int] = {state: number for state, number in by_state}  # noqa: C416
            oldest = connection.execute(select(func.min(c.received_at)).where(is_first_wait)).scalar()
            kind = event_table.c.kind
            kinds = connection.execute(select(kind, func.count()).group_by(kind)).all()
        submissions = GaugeMetricFamily(
            "spoc_submissions", "Submissions by where they stand.", labels=["state"]
        )
        for state in STATES:
            submissions.add_metric([state], states.get(state, 0))
        yield submissions
        waits = 0.0 if oldest is None else max(0.0, (datetime.now(UTC) - oldest).total_seconds())
        yield GaugeMetricFamily(
            "spoc_grading_queue_length", "Submissions that wait.", states.get("received", 0)
        )
        yield GaugeMetricFamily("spoc_grading_queue_age_seconds", "How long the oldest waits.", waits)
        events = CounterMetricFamily("spoc_events", "What members did, by kind.", labels=["kind"])
        for kind_name, number in kinds:
            events.add_metric([kind_name], number)
        yield events
        free = shutil.disk_usage(self._services.state.root).free
        yield GaugeMetricFamily("spoc_disk_free_bytes", "Free where the state folder is.", free)


def _is_same(token: str, expected: str) -> bool:
    return hmac.compare_digest(token.encode(), expected.encode())
