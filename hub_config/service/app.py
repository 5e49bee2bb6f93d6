"""The application: routes under one prefix, one pool of store threads, two listening sockets."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket
from tornado.web import Application

from course.database import Database
from course.events import EventStore
from course.quiz import QuizBank, QuizRecord
from course.roster import Roster
from course.state import StateFolder
from course.submissions import SubmissionStore
from hub_config.service import downloads, exchange, overview, pages, quizzes
from hub_config.service.handler import CallbackHandler, HealthHandler, Route, Services, UnknownHandler
from hub_config.service.health import MeasuredApplication, Metrics, MetricsHandler
from hub_config.settings import read_settings

STORE_THREADS = 4
BODY_BYTES = 64 * 1024
"""A handler that streams its body raises this for itself, in `prepare`."""
BODY_SECONDS = 120
IDLE_SECONDS = 300


def open_services(state: StateFolder) -> Services:
    """Open the stores of one deployment.

    Raises:
        FileProblems: Its settings cannot be used.
    """
    settings = read_settings(state)
    database = Database(state.database_url)
    events = EventStore(database)
    bank = QuizBank(settings.modules_dir)
    SubmissionStore(database, state.submissions_dir).sweep()
    return Services(
        settings=settings,
        state=state,
        database=database,
        roster=Roster(database),
        events=events,
        bank=bank,
        record=QuizRecord(bank, events),
    )


def make_app(services: Services, prefix: str) -> Application:
    """Build the application; `prefix` begins and ends with a slash."""
    routes: tuple[Route, ...] = (
        *quizzes.routes,
        *exchange.routes,
        *downloads.routes,
        *pages.routes,
        *overview.routes,
    )
    return MeasuredApplication(
        [
            (prefix + "health", HealthHandler),
            (prefix + "metrics", MetricsHandler),
            (prefix + "oauth_callback", CallbackHandler),
            *((prefix + path, handler) for path, handler in routes),
        ],
        default_handler_class=UnknownHandler,
        services=services,
        metrics=Metrics(services),
        threads=ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="store"),
        # Sessions live as long as this process; a browser signs in again by the hub's own cookie, unseen.
        cookie_secret=secrets.token_bytes(32),
    )


def listen(app: Application, service_url: str, socket_path: Path | None) -> HTTPServer:
    """Serve `app` at the TCP address of `service_url` and, for members' servers, at `socket_path`.

    Every uid may connect to the socket; the folder it lies in decides who can reach it, tokens who is heard.
    """
    server = HTTPServer(
        app, max_body_size=BODY_BYTES, body_timeout=BODY_SECONDS, idle_connection_timeout=IDLE_SECONDS
    )
    address = urlsplit(service_url)
    server.listen(address.port or 80, address.hostname or "127.0.0.1")
    if socket_path is not None:
        server.add_socket(bind_unix_socket(str(socket_path), mode=0o666))
    return server
