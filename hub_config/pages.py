"""The hub's pages: where their templates and static files are, and in which language they speak."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from traitlets.config import Config

from course.language import choose_language, translator
from course.roster import SPONSORING, TEACHING

TEMPLATE_DIR = Path(__file__).parent / "templates"
STATIC_DIR = Path(__file__).parent / "static"
STATIC_PATH = "course-static"

# Our pages load and send nothing beyond this host, run no script in a page, and stand in no frame.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


def configure_pages(c: Config, course_title: str) -> None:
    """Give the hub our templates, with what they need; touches nothing but `c`.

    Args:
        c: The hub's configuration.
        course_title: What stands at the head of every page.
    """
    version = _version()

    @pass_context
    def asset(context: Context, name: str) -> str:
        return f"{context['base_url']}{STATIC_PATH}/{name}?v={version}"

    c.JupyterHub.default_url = first_page
    c.JupyterHub.template_paths = [str(TEMPLATE_DIR)]
    c.JupyterHub.template_vars = {
        "course_title": course_title,
        # JupyterHub calls what is callable with the user; the function in it is for the template.
        "asset": lambda _user: asset,
        "say": lambda _user: _say,
        "page_language": lambda _user: _page_language,
        "secured": lambda _user: _secured,
    }


def first_page(handler: Any) -> str:
    """Return where to go by default; learners go, by an empty text, to their server."""
    user = handler.current_user
    roles = {group.name for group in user.groups} if user is not None else set()
    if roles & TEACHING:
        return f"{handler.base_url}services/course/"
    return f"{handler.base_url}services/course/overview" if roles & SPONSORING else ""


def page_language(handler: Any) -> str:
    """Return the language in which to answer a request."""
    return choose_language(handler.request.headers.get("Accept-Language", ""))


def page_translator(handler: Any) -> Callable[[str], str]:
    """Return the function that translates a message for a request."""
    return translator("hub", page_language(handler))


@pass_context
def _say(context: Context, message: str, **values: object) -> str:
    text = page_translator(_handler(context))(message)
    return text.format(**values) if values else text


@pass_context
def _page_language(context: Context) -> str:
    return page_language(_handler(context))


@pass_context
def _secured(context: Context) -> str:
    """Give the answer that a page of ours is in the headers of one; stands for nothing in the page."""
    # Most of the pages come from JupyterHub's own handlers, an error page from any of them.
    _handler(context).set_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    return ""


def _handler(context: Context) -> Any:
    # JupyterHub gives its templates no request, and its stock handlers cannot be told to; they do all
    # give their own bound `static_url`.
    return context["static_url"].__self__


def _version() -> str:
    contents = b"".join(path.read_bytes() for path in sorted(STATIC_DIR.iterdir()))
    return hashlib.sha256(contents).hexdigest()[:12]
